// Moderation by OpenAI's own JavaScript client, unmodified: texts by a classifier of tiny random weights, pictures by a plain graph.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import sharp from "sharp";
import { proved } from "../../support/conformance.ts";
import { languageServer, MODEL } from "./language-server.ts";
import { sortingModel } from "./sorting-model.ts";

const FOLDER = join(import.meta.dir, "../../reference/classification");
const toxic = sortingModel(
  "toxic",
  `pipeline: classify-text
source: { path: ${FOLDER}/toxic }
moderation:
  categories: { toxic: harassment, severe_toxic: harassment, threat: harassment/threatening, insult: null }
  thresholds: { hate: 0.9 }
`,
);
const pictures = sortingModel(
  "pictures",
  `pipeline: onnx
source: { path: ${FOLDER}/pictures }
onnx:
  inputs: { image_url: { kind: image, width: 8, height: 8 } }
  outputs: { classes: { kind: classes, labels: [nsfw, sfw], activation: softmax } }
moderation: { categories: { nsfw: sexual, sfw: null } }
`,
);

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
beforeAll(async () => {
  server = await languageServer({ models: { toxic, pictures } });
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
}, 120_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(120_000);

const sent = async <T>(asked: PromiseLike<T>) => await asked;
type Class = { label: string; score: number };

async function picture(r: number, g: number): Promise<{ type: "image_url"; image_url: { url: string } }> {
  const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g, b: 0 } } })
    .png()
    .toBuffer();
  return { type: "image_url", image_url: { url: `data:image/png;base64,${bytes.toString("base64")}` } };
}

test("each text is judged by itself: the highest score of the classes that stand for a category, as Python gives them", async () => {
  const cases = JSON.parse(await readFile(join(FOLDER, "toxic/cases.json"), "utf8")) as {
    texts: string[];
    default: Class[][];
  };
  const texts = cases.texts.slice(0, 3);
  const { id, model, results } = await client.moderations.create({ input: texts });
  expect(id).toStartWith("modr-");
  expect(model).toBe("test/toxic");
  expect(results).toHaveLength(3);
  for (const [i, result] of results.entries()) {
    const score = (label: string) => cases.default[i]?.find((each) => each.label === label)?.score ?? Number.NaN;
    const scores: Record<string, number> = { ...result.category_scores };
    const categories: Record<string, boolean | null> = { ...result.categories };
    const harassment = Math.max(score("toxic"), score("severe_toxic"));
    expect(scores.harassment).toBeCloseTo(harassment, 4);
    expect(scores["harassment/threatening"]).toBeCloseTo(score("threat"), 4);
    expect(scores.obscene).toBeCloseTo(score("obscene"), 4); // none of OpenAI's: under its own name
    expect(scores.insult).toBeUndefined(); // null: no harm
    expect(categories.harassment).toBe(harassment >= 0.5);
    expect(result.flagged).toBe(Object.values(categories).some(Boolean));
    expect(result.category_applied_input_types.harassment).toEqual(["text"]);
    expect([scores.violence, categories.violence]).toEqual([0, false]);
    expect(result.category_applied_input_types.violence).toEqual([]);
  }
  proved("openai-js", "moderations");
});

test("parts are judged as one, each kind by a model of its own", async () => {
  const red = await picture(255, 0);
  const shown = await client.moderations.create({ input: [{ type: "text", text: "hello" }, red] });
  expect(shown.results).toHaveLength(1);
  expect(shown.results[0]?.categories.sexual).toBeTrue();
  expect(shown.results[0]?.flagged).toBeTrue();
  expect(shown.results[0]?.category_applied_input_types.sexual).toEqual(["image"]);
  const green = await client.moderations.create({ model: "test/pictures", input: [await picture(0, 255)] });
  expect(green.results[0]).toMatchObject({ flagged: false, categories: { sexual: false } });
  const [worst] = (await client.moderations.create({ input: [await picture(0, 255), red] })).results;
  expect(worst?.flagged).toBeTrue();
});

test("nothing is let through unread: what no model judges is refused, and how to add one is said", async () => {
  const noPictures = sent(client.moderations.create({ model: "test/toxic", input: [await picture(255, 0)] }));
  await expect(noPictures).rejects.toMatchObject({ status: 400, param: "input" });
  await expect(noPictures).rejects.toThrow(/Nothing was judged.*section moderation/);
  const noModeration = sent(client.moderations.create({ model: MODEL, input: "hello" }));
  await expect(noModeration).rejects.toMatchObject({ status: 400, param: "model" });
  const unknown = sent(client.moderations.create({ model: "omni-moderation-latest", input: "hello" }));
  await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  await expect(sent(client.moderations.create({ input: "word ".repeat(500) }))).rejects.toMatchObject({
    status: 400,
    param: "input[0]",
  });
  await expect(sent(client.moderations.create({ input: [] }))).rejects.toMatchObject({ status: 400, param: "input" });
});

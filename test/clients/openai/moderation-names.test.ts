// Moderation by the names that OpenAI's clients bring along: one for texts and pictures together, one for texts alone. Pictures
// are judged by models that sort pictures, and by such as only tell unsafe ones; what they say is transformers'.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { languageServer } from "./language-server.ts";
import { sortingModel } from "./sorting-model.ts";

const REFERENCE = join(import.meta.dir, "../../reference");
const LABELLING = join(REFERENCE, "vision/labelling");
const nsfw = `source: { path: ${LABELLING}/nsfw }`;
const models = {
  toxic: sortingModel(
    "toxic",
    `pipeline: classify-text
source: { path: ${REFERENCE}/classification/toxic }
moderation: { categories: { toxic: harassment } }`,
  ),
  strict: sortingModel(
    "strict",
    `pipeline: classify-image\n${nsfw}
moderation: { categories: { nsfw: sexual, sfw: null }, thresholds: { sexual: 0.1 } }`,
  ),
  unsafe: sortingModel("unsafe", `pipeline: check-image\n${nsfw}`),
};
const names = {
  "omni-moderation-latest": ["test/toxic", "test/strict"],
  "text-moderation-latest": "test/toxic",
  "omni-moderation-2024-09-26": ["test/toxic", "test/unsafe"],
};

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
let picture: { type: "image_url"; image_url: { url: string } };
/** What transformers says of the picture. */
let share: number;
beforeAll(async () => {
  server = await languageServer({ models, env: { FORECOURT_OPENAI_MODELS: JSON.stringify(names) } });
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
  const bytes = await readFile(join(REFERENCE, "vision/picture.png"));
  picture = { type: "image_url", image_url: { url: `data:image/png;base64,${bytes.toString("base64")}` } };
  const cases = JSON.parse(await readFile(join(LABELLING, "cases.json"), "utf8")) as {
    nsfw: { label: string; score: number }[];
  };
  share = cases.nsfw.find(({ label }) => label === "nsfw")?.score ?? Number.NaN;
}, 120_000);
afterAll(() => server[Symbol.asyncDispose]());
setDefaultTimeout(120_000);

const sent = async <T>(asked: PromiseLike<T>) => await asked;

test("the usual name means the models that it was given to: texts by the one, pictures by the other, also unnamed", async () => {
  for (const model of ["omni-moderation-latest", undefined]) {
    const input = [{ type: "text" as const, text: "hello" }, picture];
    const { results, ...head } = await client.moderations.create({ ...(model && { model }), input });
    const [result] = results;
    expect(head.model).toBe(model ?? "test/toxic");
    expect(results).toHaveLength(1);
    expect(result?.category_scores.sexual).toBeCloseTo(share, 3);
    expect(result?.category_applied_input_types).toMatchObject({ sexual: ["image"], harassment: ["text"] });
    expect(result).toMatchObject({ categories: { sexual: share >= 0.1 }, flagged: true });
  }
});

test("a detector of unsafe pictures needs no further words in its file", async () => {
  const { results } = await client.moderations.create({ model: "omni-moderation-2024-09-26", input: [picture] });
  expect(results[0]?.category_scores.sexual).toBeCloseTo(share, 3);
  expect(results[0]).toMatchObject({ flagged: false, categories: { sexual: false, violence: false } });
  expect(results[0]?.category_applied_input_types).toMatchObject({ sexual: ["image"], violence: [] });
});

test("a name for a model of texts alone judges texts, and refuses pictures", async () => {
  const { model, results } = await client.moderations.create({ model: "text-moderation-latest", input: ["a", "b"] });
  expect(model).toBe("text-moderation-latest");
  expect(results).toHaveLength(2);
  const shown = sent(client.moderations.create({ model: "text-moderation-latest", input: [picture] }));
  await expect(shown).rejects.toMatchObject({ status: 400, param: "input" });
  const unknown = sent(client.moderations.create({ model: "text-moderation-stable", input: "a" }));
  await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found" });
});

test("a picture that cannot be read is refused, and none of the texts beside it passes", async () => {
  const broken = { type: "image_url" as const, image_url: { url: "data:image/png;base64,AAAA" } };
  const asked = sent(client.moderations.create({ input: [{ type: "text", text: "hello" }, broken] }));
  await expect(asked).rejects.toMatchObject({ status: 400, type: "invalid_request_error" });
});

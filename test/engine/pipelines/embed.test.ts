// Embeddings of tiny random-weight models against Python's transformers and sentence-transformers' formulas.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { parse } from "../../../src/core/schema.ts";
import { readTextFacts } from "../../../src/engine/embedding/text-facts.ts";
import { embed } from "../../../src/engine/pipelines/embed.ts";
import { loadEncoderTokenizer } from "../../../src/engine/text/encoder-tokenizer.ts";
import { casesOf, embedOnce, furthest, openFamily, picture, unit } from "../support/embedding.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

const POOLINGS = { bert: ["mean", "cls"], "xlm-roberta": ["cls", "mean"], qwen3: ["last", "mean"] } as const;
type Family = keyof typeof POOLINGS;

for (const family of ["bert", "xlm-roberta", "qwen3"] satisfies Family[]) {
  const { texts, ids, embeddings } = casesOf(family);

  describe(family, () => {
    test("texts become the tokens that they are in Python", async () => {
      const tokenizer = await loadEncoderTokenizer(openFamily(family));
      for (const [i, text] of texts.entries())
        expect({ text, ids: tokenizer.encode([text]).ids }).toEqual({ text, ids: ids[i] ?? [] });
    });

    for (const pooling of POOLINGS[family])
      test(`embeddings by ${pooling} are Python's within 1e-4, together and one by one`, async () => {
        const wanted = embeddings[pooling] ?? [];
        const declared = { pooling };
        const together = await embedOnce(family, { input: texts, normalize: false }, { declared });
        expect(furthest(together.output.embeddings, wanted)).toBeLessThan(1e-4);
        const alone = await embedOnce(family, { input: texts[1] ?? "", normalize: false }, { declared });
        expect(furthest(alone.output.embeddings, wanted.slice(1, 2))).toBeLessThan(1e-4);
        const tokens = ids.reduce((sum, each) => sum + each.length, 0);
        expect(together.output.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
        expect(together.units).toEqual({ requests: 1, input_tokens: tokens, tokens, images: 0 });
      });

    test("without a word in the model file the pooling is sentence-transformers' of the folder", async () => {
      const { output } = await embedOnce(family, { input: texts });
      const wanted = (embeddings[POOLINGS[family][0]] ?? []).map(unit);
      expect(furthest(output.embeddings, wanted)).toBeLessThan(1e-5);
    });
  });
}

describe("what a request may wish", () => {
  const { texts, embeddings, queries } = casesOf("bert");
  const mean = embeddings.mean ?? [];

  test("fewer dimensions are the first ones, of length 1 again", async () => {
    const { output } = await embedOnce("bert", { input: texts, dimensions: 8 });
    expect(
      furthest(
        output.embeddings,
        mean.map((row) => unit(row.slice(0, 8))),
      ),
    ).toBeLessThan(1e-5);
    const failure = await embedOnce("bert", { input: texts, dimensions: 25 }).catch((error) => error);
    expect(failure).toMatchObject({ problems: [{ loc: ["body", "dimensions"], ctx: { le: 24 } }] });
  });

  test("a prompt of the model by its name, or one that the request writes, goes before each text", async () => {
    const named = await embedOnce("bert", { input: texts, prompt_name: "query" });
    expect(furthest(named.output.embeddings, (queries?.mean ?? []).map(unit))).toBeLessThan(1e-5);
    const written = await embedOnce("bert", { input: texts, prompt: "query: " });
    expect(written.output).toEqual(named.output);
    const byDefault = await embedOnce("bert", { input: texts }, { declared: { defaultPrompt: "query" } });
    expect(byDefault.output).toEqual(named.output);
    const failure = await embedOnce("bert", { input: texts, prompt_name: "nobody" }).catch((error) => error);
    expect(failure).toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "prompt_name"], ctx: { expected: ["query", "document"] } }],
    });
  });

  test("a text beyond the model's length is refused with both numbers, or cut where the request says so", async () => {
    const input = ["short", "word ".repeat(500)];
    const failure = await embedOnce("bert", { input }).catch((error) => error);
    const [problem] = failure.problems;
    expect(problem).toMatchObject({ loc: ["body", "input", 1], type: "sequence_too_long", ctx: { max_length: 64 } });
    expect(problem.ctx.length).toBeGreaterThan(500);
    const { output, log } = await embedOnce("bert", { input, truncate: true });
    expect(output.usage.total_tokens).toBeLessThan(64 + 10);
    expect(log).toEqual([
      `input.1 is too long: ${problem.ctx.length - 64} of ${problem.ctx.length} tokens are not read`,
    ]);
  });

  test("a model of texts alone refuses a picture, naming its place", async () => {
    const input = ["a", { image_url: "https://example.com/a.png" }];
    const failure = await embedOnce("bert", { input }).catch((error) => error);
    expect(failure).toMatchObject({ code: "invalid_input", problems: [{ loc: ["body", "input", 1, "image_url"] }] });
  });

  test("an empty list, an empty text and numbers in place of texts are refused", () => {
    for (const input of [[], "", [""], [[1, 2, 3]], [1, 2], { image_url: "https://example.com/a.png" }])
      expect(() => parse(embed.of({}).input, { input })).toThrow();
  });
});

test("jobs are computed together: the last one's short texts do not wait for another's long ones to end", async () => {
  const { texts, embeddings } = casesOf("bert");
  const pipeline = embed.of({});
  const run = await pipeline.load(openFamily("bert"));
  const task = (input: string | string[]) => ({
    input: parse(pipeline.input, { input, normalize: false }),
    media: async () => new Uint8Array(),
    save: async () => ({ url: "", content_type: "", file_name: "", file_size: 0 }),
    log: () => {},
  });
  const many = Array.from({ length: 300 }, (_, i) => texts[i % texts.length] ?? "");
  const ended: number[] = [];
  const outputs = new Map<number, number[][]>();
  for await (const { index, step } of run([task(many), task(texts)], new AbortController().signal)) {
    if (step.type !== "output") continue;
    ended.push(index);
    outputs.set(index, step.value.embeddings);
  }
  expect(ended.toSorted()).toEqual([0, 1]);
  const mean = embeddings.mean ?? [];
  expect(furthest(outputs.get(1) ?? [], mean)).toBeLessThan(1e-4);
  expect(
    furthest(
      outputs.get(0) ?? [],
      many.map((_, i) => mean[i % texts.length] ?? []),
    ),
  ).toBeLessThan(1e-4);
});

test("a job is cancelled between two passes", async () => {
  const pipeline = embed.of({});
  const stop = new AbortController();
  const run = await pipeline.load(openFamily("bert"));
  const input = parse(pipeline.input, { input: Array.from({ length: 400 }, () => "a red circle on a blue ground") });
  const task = {
    input,
    media: async () => new Uint8Array(),
    save: async () => ({ url: "", content_type: "", file_name: "", file_size: 0 }),
    log: () => {},
  };
  const steps: string[] = [];
  const going = (async () => {
    for await (const { step } of run([task], stop.signal)) {
      steps.push(step.type);
      stop.abort(new Error("enough"));
    }
  })();
  await expect(going).rejects.toThrow("enough");
  expect(steps).toEqual(["progress"]);
});

type TowerCases = {
  texts: string[];
  ids: number[][];
  text_embeds: number[][];
  pictures: string[];
  image_embeds: number[][];
};

for (const family of ["clip", "siglip", "siglip2"])
  test(`${family}, two towers in two graphs: texts and pictures of one request are Python's`, async () => {
    const { texts, ids, text_embeds, pictures, image_embeds } = casesOf<TowerCases>(family);
    const input = [{ image_url: "0" }, ...texts, { image_url: "1" }];
    const media = async (url: string) => picture(pictures[Number(url)] ?? "");
    const { output, units } = await embedOnce(family, { input, normalize: false, truncate: true }, { media });
    const wanted = [image_embeds[0] ?? [], ...text_embeds, image_embeds[1] ?? []];
    expect(furthest(output.embeddings, wanted)).toBeLessThan(1e-4);
    const tokens = ids.reduce((sum, each) => sum + Math.min(each.length, 64), 0);
    expect(units).toEqual({ requests: 1, input_tokens: tokens, tokens, images: 2 });
  });

describe("SigLIP", () => {
  for (const family of ["siglip", "siglip2"]) {
    const { texts, ids, text_embeds, pictures, image_embeds } = casesOf<TowerCases>(family);

    test(`${family}: texts become the tokens that they are in Python, in lower case`, async () => {
      const assets = openFamily(family);
      const tokenizer = await loadEncoderTokenizer(assets, await readTextFacts(assets));
      for (const [i, text] of texts.entries())
        expect({ text, ids: tokenizer.encode([text]).ids }).toEqual({ text, ids: ids[i] ?? [] });
    });

    test(`${family}, both towers in one graph of another size than CLIP's: embeddings are Python's, brought to length 1`, async () => {
      const whole = openFamily(family);
      const has = (path: string) => whole.has(path) && !/text_model|vision_model/.test(path);
      const { output } = await runOnce(embed.of({}), {
        assets: { ...whole, has },
        input: { input: [...texts, ...pictures.map((name) => ({ image_url: name }))], truncate: true },
        media: async (name) => picture(name),
      });
      expect(furthest(output.embeddings, [...text_embeds, ...image_embeds].map(unit))).toBeLessThan(1e-4);
    });
  }

  test("pictures in their own shape, as NaFlex sees them, are refused by name", async () => {
    const whole = openFamily("siglip");
    const json = async <T>(path: string) =>
      (path === "preprocessor_config.json" ? { max_num_patches: 256, patch_size: 16 } : await whole.json(path)) as T;
    const failure = await embed
      .of({})
      .load({ ...whole, json })
      .catch((error) => error);
    expect(failure).toMatchObject({ code: "misconfigured", message: expect.stringContaining("NaFlex") });
  });
});

describe("CLIP", () => {
  test("both towers in one graph: the demo's embeddings are Python's", async () => {
    const wanted = JSON.parse(await Bun.file(join(import.meta.dir, "../../reference/demo-clip.json")).text());
    const captions: string[] = wanted.captions.filter((each: string) => each !== "");
    const input = [...captions, ...wanted.pictures.map((name: string) => ({ image_url: name }))];
    const { output } = await runOnce(embed.of({}), {
      assets: openFolder(join(import.meta.dir, "../../../models/demo/clip")),
      input: { input },
      media: async (name) => picture(name.split("/").at(-1) ?? ""),
    });
    const texts = wanted.text_embeds.slice(0, captions.length).map(unit);
    expect(furthest(output.embeddings.slice(0, captions.length), texts)).toBeLessThan(1e-3);
    expect(furthest(output.embeddings.slice(captions.length), wanted.image_embeds.map(unit))).toBeLessThan(0.02);
  });

  test("what is no picture is a problem of its place in the request", async () => {
    const media = async () => Uint8Array.of(1, 2, 3);
    const failure = await embedOnce("clip", { input: ["a", { image_url: "0" }] }, { media }).catch((error) => error);
    expect(failure).toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "input", 1, "image_url"], type: "image_load_error" }],
    });
  });
});

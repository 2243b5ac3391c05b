// The embedded demo models against Python's diffusers and transformers (numbers made by the scripts of test/reference).
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadDiffusionModel } from "../../src/engine/diffusion/diffusion-model.ts";
import { imageTextSimilarity } from "../../src/engine/pipelines/image-text-similarity.ts";
import type { Random } from "../../src/engine/tensor/random.ts";
import { preprocess } from "../../src/engine/vision/preprocess.ts";
import { openFolder, runOnce } from "./support/load.ts";

/** Seconds of real inference on a machine that may be busy. */
setDefaultTimeout(60_000);

const REFERENCE = join(import.meta.dir, "../reference");
const DEMO = join(import.meta.dir, "../../models/demo");
const read = (path: string) => JSON.parse(readFileSync(join(REFERENCE, path), "utf8"));

type DiffusionCase = {
  id: string;
  prompt: string;
  negative_prompt: string;
  prompt_embeds: { first: number[]; last: number[] };
  scheduler: Record<string, unknown>;
  own_scheduler: boolean;
  calls: number;
  steps: number;
  guidance: number;
  noise: string;
  image: string;
};

/** The reference's initial noise; the samplers compared here draw no more. */
function givenNoise(path: string): Random {
  const bytes = readFileSync(join(REFERENCE, "demo-diffusion", path));
  return { normal: () => new Float32Array(new Uint8Array(bytes).buffer) };
}

if (!existsSync(join(REFERENCE, "demo-diffusion/cases.json"))) test.skip("demo-diffusion: no reference yet", () => {});
else {
  const { cases }: { cases: DiffusionCase[] } = read("demo-diffusion/cases.json");
  describe("demo-diffusion agrees with diffusers", async () => {
    const assets = openFolder(join(DEMO, "diffusion"));
    const model = await loadDiffusionModel(assets, { drawsFrom: "prompt" });
    const encode = (text: string) => model.encode({ text, isNegative: false, clipSkip: 0 });
    for (const each of cases) {
      test(`${each.id}: the picture within 2/255`, async () => {
        const prompt = await encode(each.prompt);
        for (const [i, value] of each.prompt_embeds.first.entries())
          expect(prompt.rows.encoder_hidden_states?.data[i]).toBeCloseTo(value, 3);
        const drawing = model.draw({
          prompts: [prompt],
          ...(each.guidance > 1 && { negatives: [await encode(each.negative_prompt)] }),
          scale: each.guidance,
          size: model.size.native,
          count: 1,
          steps: each.steps,
          random: givenNoise(each.noise),
          ...(!each.own_scheduler && { scheduler: each.scheduler }),
          signal: new AbortController().signal,
        });
        let next = await drawing.next();
        let calls = 0;
        for (; !next.done; next = await drawing.next()) calls++;
        const [picture] = next.value;
        const wanted = await assets.codec.decode(readFileSync(join(REFERENCE, "demo-diffusion", each.image)));
        expect(calls).toBe(each.calls);
        expect(picture).toMatchObject({ width: wanted.width, height: wanted.height });
        const differences = wanted.data.map((value, i) => Math.abs(value - (picture?.data[i] ?? 999)));
        expect(Math.max(...differences)).toBeLessThanOrEqual(2);
      });
    }
  });
}

type ClipReference = {
  captions: string[];
  pictures: string[];
  pixel_values: { shape: number[]; sample: number[][]; sum: number[] };
  text_embeds: number[][];
  image_embeds: number[][];
  logits_per_image: number[][];
};

if (!existsSync(join(REFERENCE, "demo-clip.json"))) test.skip("demo-clip: no reference yet", () => {});
else {
  const reference: ClipReference = read("demo-clip.json");
  describe("demo-clip agrees with transformers", async () => {
    const assets = openFolder(join(DEMO, "clip"));
    for (const [i, path] of reference.pictures.entries()) {
      const bytes = new Uint8Array(readFileSync(join(REFERENCE, path)));
      test(`${path}: what the model sees`, async () => {
        const config = await assets.json<object>("preprocessor_config.json");
        const { planes, width } = await preprocess(await assets.codec.decode(bytes), config);
        const row = reference.pixel_values.sample[i] ?? [];
        for (const [x, value] of row.entries()) expect(planes[20 * width + x]).toBeCloseTo(value, 5);
        const sum = planes.reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - (reference.pixel_values.sum[i] ?? Number.NaN))).toBeLessThan(0.05);
      });

      test(`${path}: logits and cosines`, async () => {
        const captions = reference.captions.filter((caption) => caption !== "");
        const input = { image_url: "https://example.com/p.png", texts: captions };
        const { output } = await runOnce(imageTextSimilarity.of({}), { assets, input, media: async () => bytes });
        const kept = (values: number[]) => values.filter((_, at) => reference.captions[at] !== "");
        const logits = kept(reference.logits_per_image[i] ?? []);
        const cosines = kept(reference.text_embeds.map((text) => dot(text, reference.image_embeds[i] ?? [])));
        for (const [at, logit] of logits.entries())
          expect(Math.abs((output.logits[at] ?? 0) - logit)).toBeLessThan(1e-2);
        for (const [at, cosine] of cosines.entries()) {
          expect(Math.abs((output.similarities[at] ?? 0) - cosine)).toBeLessThan(1e-4);
        }
      });
    }
  });
}

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

// Several jobs in one run of the denoiser: each gets the picture that it would get alone.
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Pixels, Task } from "../../../src/core/pipeline.ts";
import { parse, type Static } from "../../../src/core/schema.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { createAssets } from "../../../src/engine/runner/assets.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { openGraph } from "../../../src/engine/runner/session.ts";
import { noTransformers } from "../support/load.ts";

type Input = Static<typeof textToImage.input>;

/** The model's calls are counted; each job's pictures come back decoded. */
async function stage(folder: string) {
  const calls = { denoiser: 0 };
  const codec = createCodec();
  const assets = createAssets({
    folder,
    codec,
    openTransformers: noTransformers,
    async open(path) {
      const graph = await openGraph(path, { device: { kind: "cpu", index: 0 }, threads: 1 });
      const isDenoiser = path.includes("unet/");
      const run: typeof graph.run = (tensors) => {
        if (isDenoiser) calls.denoiser++;
        return graph.run(tensors);
      };
      return { ...graph, run };
    },
  });
  const run = await textToImage.load(assets);
  async function draw(inputs: Record<string, unknown>[]) {
    const saved = inputs.map(() => new Map<string, Uint8Array>());
    const tasks = inputs.map(
      (input, at): Task<Input> => ({
        input: parse(textToImage.input, { output_format: "png", ...input }),
        media: () => Promise.reject(new Error("no media")),
        async save(bytes, { name, contentType }) {
          saved[at]?.set(name, bytes);
          return { url: name, content_type: contentType, file_name: name, file_size: bytes.length };
        },
        log() {},
      }),
    );
    const units: Record<string, number>[] = [];
    const progress = inputs.map(() => 0);
    for await (const { index, step } of run(tasks, new AbortController().signal)) {
      if (step.type === "progress") progress[index] = (progress[index] ?? 0) + 1;
      if (step.type === "output") units[index] = step.units;
    }
    const decode = (files: Map<string, Uint8Array>) =>
      Promise.all([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => codec.decode(bytes)));
    return { pictures: await Promise.all(saved.map(decode)), units, progress };
  }
  return { draw, calls };
}

const difference = (a: Pixels | undefined, b: Pixels | undefined) => {
  if (!a || !b || a.data.length !== b.data.length) return Number.POSITIVE_INFINITY;
  return a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (b.data[at] ?? 0))), 0);
};

const tiny = join(import.meta.dir, "../tiny/optimum");
const demo = join(import.meta.dir, "../../../models/demo/diffusion");
const size = { width: 64, height: 64 };
const worlds: [string, string, Record<string, unknown>][] = [
  ["the tiny model", tiny, { num_inference_steps: 3 }],
  ["the demo model", demo, { num_inference_steps: 4 }],
  [
    "a sampler that draws noise at each step",
    tiny,
    { num_inference_steps: 4, scheduler: "Euler A", guidance_scale: 3 },
  ],
];

test.each(worlds)(
  "%s: a picture in a batch equals the single one within 1/255, in as many model calls as one",
  async (_, folder, common) => {
    const { draw, calls } = await stage(folder);
    const inputs = ["a red circle", "a blue square", "a green triangle"].map((prompt, at) => ({
      ...common,
      ...{ prompt, negative_prompt: at === 1 ? "red" : "", seed: at + 1, image_size: size, num_images: 2 },
    }));
    const together = await draw(inputs);
    const callsTogether = calls.denoiser;
    expect(callsTogether).toBe(Number(common.num_inference_steps));
    expect(together.progress).toEqual(inputs.map(() => callsTogether));
    for (const [at, input] of inputs.entries()) {
      const alone = await draw([input]);
      expect(together.units[at]).toEqual(alone.units[0] ?? {});
      expect(together.pictures[at]).toHaveLength(2);
      for (const [each, picture] of (alone.pictures[0] ?? []).entries())
        expect(difference(together.pictures[at]?.[each], picture)).toBeLessThanOrEqual(1);
    }
    // A test of equality needs pictures that differ.
    expect(difference(together.pictures[0]?.[0], together.pictures[1]?.[0])).toBeGreaterThan(1);
  },
  60_000,
);

test("jobs that differ in what a run is given are drawn apart, each as it wants", async () => {
  const { draw, calls } = await stage(tiny);
  const inputs = [
    { prompt: "a", seed: 1, num_inference_steps: 2 },
    { prompt: "b", seed: 2, num_inference_steps: 3 },
    { prompt: "c", seed: 3, num_inference_steps: 2 },
    { prompt: "c", seed: 3, num_inference_steps: 2, scheduler: "DDIM", eta: 0.5 },
  ];
  const { progress } = await draw(inputs);
  expect(progress).toEqual([2, 3, 2, 2]);
  expect(calls.denoiser).toBe(7);
});

test("each picture of a call has the next seed: drawn alone by it, it is the same", async () => {
  const { draw } = await stage(tiny);
  const common = { prompt: "a red circle", image_size: size, num_inference_steps: 3, scheduler: "Euler A" };
  const { pictures } = await draw([{ ...common, seed: 2 ** 32 + 5, num_images: 3 }]);
  for (const [at, picture] of (pictures[0] ?? []).entries()) {
    const alone = await draw([{ ...common, seed: 5 + at }]);
    expect(difference(picture, alone.pictures[0]?.[0])).toBe(0);
  }
  expect(difference(pictures[0]?.[0], pictures[0]?.[1])).toBeGreaterThan(1);
});

test("prompts that are read in another number of parts are drawn apart, and come out as if alone", async () => {
  const { draw, calls } = await stage(tiny);
  const prompts = ["red", "a ".repeat(100), "blue"];
  const inputs = prompts.map((prompt, at) => ({ prompt, seed: at, image_size: size, num_inference_steps: 2 }));
  const { pictures } = await draw(inputs);
  expect(calls.denoiser).toBe(4);
  for (const [at, input] of inputs.entries())
    expect(difference(pictures[at]?.[0], (await draw([input])).pictures[0]?.[0])).toBeLessThanOrEqual(1);
});

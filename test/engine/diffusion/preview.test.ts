// Previews of unfinished pictures: learned from the model's own decoder, sent on while the drawing goes on.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Pixels, Step } from "../../../src/core/pipeline.ts";
import { parse } from "../../../src/core/schema.ts";
import { calmed, createPreviewer } from "../../../src/engine/diffusion/preview.ts";
import type { LatentPicture } from "../../../src/engine/diffusion/tokens.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { resize } from "../../../src/engine/tensor/resize.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

const assets = openFolder(join(import.meta.dir, "../../../models/demo/diffusion"));
const input = { prompt: "a big red circle on a blue ground", seed: 3, num_inference_steps: 12, guidance_scale: 3 };
const size = { image_size: { width: 128, height: 128 }, output_format: "png", sync_mode: true };
const draw = (more: object = {}) =>
  runOnce(textToImage, { assets, input: { ...input, ...size, ...more }, wantsPartials: true });

const idle = {
  media: async () => new Uint8Array(),
  save: async () => {
    throw new Error("nothing is to be saved");
  },
  log: () => {},
};

type Answer = { images: { url: string; width: number; height: number }[]; seed: number; prompt: string };
const pixelsOf = async ({ images }: Answer): Promise<Pixels> =>
  await assets.codec.decode(Buffer.from(images[0]?.url.split(",")[1] ?? "", "base64"));

/** Mean distance of the colours, on a scale of 255. */
async function distance(one: Answer, other: Answer): Promise<number> {
  const small = { width: 16, height: 16, kernel: "bilinear" as const };
  const [a, b] = [await resize(await pixelsOf(one), small), await resize(await pixelsOf(other), small)];
  let sum = 0;
  for (let at = 0; at < 16 * 16; at++)
    for (let colour = 0; colour < 3; colour++)
      sum += Math.abs((a.data[at * a.channels + colour] ?? 0) - (b.data[at * b.channels + colour] ?? 0));
  return sum / (16 * 16 * 3);
}

describe("a drawing that is followed", () => {
  test("shows about five previews in the shape of the answer, which come closer to the picture", async () => {
    const { steps, output } = await draw();
    const previews = steps.flatMap((step) => (step.type === "partial" ? [step.value as Answer] : []));
    expect(previews.length).toBeGreaterThanOrEqual(4);
    expect(previews.length).toBeLessThanOrEqual(6);
    for (const preview of previews) {
      expect(preview).toMatchObject({ seed: 3, prompt: input.prompt, images: [{ width: 256, height: 256 }] });
      expect(preview.images[0]?.url).toStartWith("data:image/jpeg;base64,");
    }
    const [first, last] = [previews[0], previews.at(-1)];
    if (!first || !last) throw new Error("there are previews");
    expect(await distance(last, output)).toBeLessThan(0.7 * (await distance(first, output)));
    expect(await distance(last, output)).toBeLessThan(25);
  });

  test("has as many as the caller wishes, or none", async () => {
    const count = async (preview_every: number) =>
      (await draw({ preview_every })).steps.filter(({ type }) => type === "partial").length;
    expect(await count(3)).toBe(3);
    expect(await count(0)).toBe(0);
  });

  test("shows the picture to come also without the decoder, once the model has drawn a few", async () => {
    const run = await textToImage.load(assets);
    const follow = async (seed: number, prompt: string) => {
      const steps: Step<Answer>[] = [];
      const task = {
        ...idle,
        input: parse(textToImage.input, { ...input, ...size, seed, prompt }),
        wantsPartials: true,
      };
      for await (const { step } of run([task], new AbortController().signal)) steps.push(step);
      return steps;
    };
    for (const [seed, colour] of ["yellow", "red", "white", "blue"].entries())
      await follow(seed, `a big ${colour} star on a ${colour === "blue" ? "black" : "blue"} ground`);
    const steps = await follow(9, input.prompt);
    const last = steps.findLast(({ type }) => type === "partial");
    const output = steps.at(-1);
    if (last?.type !== "partial" || output?.type !== "output") throw new Error("both are there");
    expect(await distance(last.value as Answer, output.value)).toBeLessThan(30);
  });

  test("draws the same picture as one that nobody follows", async () => {
    const alone = await runOnce(textToImage, { assets, input: { ...input, ...size } });
    expect(alone.steps.some(({ type }) => type === "partial")).toBe(false);
    expect((await draw()).output.images).toEqual(alone.output.images);
  });
});

describe("the linear preview", () => {
  const random = createRandom(7);
  /** A decoder that is linear but for the bounds of colours. */
  const paint = ({ latents, width, height }: LatentPicture): Pixels => ({
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const at = Math.floor(i / 3);
      const channel = (c: number) => latents[c * width * height + at] ?? 0;
      const colours = [20 * channel(0), 15 * channel(1) - 10 * channel(2), 25 * channel(3)];
      return Math.round(128 + (colours[i % 3] ?? 0));
    }),
    ...{ width, height, channels: 3 },
  });
  const latents = (): LatentPicture => ({ latents: random.normal(4 * 8 * 8), channels: 4, width: 8, height: 8 });

  test("knows nothing before it has seen a picture, and finds a linear decoder out from a few", async () => {
    const previewer = createPreviewer();
    expect(previewer.knows()).toBe(false);
    for (let count = 0; count < 4; count++) {
      const seen = latents();
      await previewer.learn(seen, paint(seen));
    }
    expect(previewer.knows()).toBe(true);
    const fresh = latents();
    const seen = previewer.preview(fresh);
    const expected = paint(fresh);
    expect(Math.max(...expected.data.map((value, i) => Math.abs(value - (seen.data[i] ?? 0))))).toBeLessThanOrEqual(2);
  });

  test("survives pictures of one colour and noise far larger than latents are", async () => {
    const previewer = createPreviewer();
    const flat: LatentPicture = { latents: new Float32Array(4 * 8 * 8), channels: 4, width: 8, height: 8 };
    await previewer.learn(flat, { data: new Uint8Array(8 * 8 * 3).fill(90), width: 8, height: 8, channels: 3 });
    expect(previewer.preview(flat).data[0]).toBe(90);
    const noise = { ...flat, latents: random.normal(4 * 8 * 8).map((value) => value * 80) };
    const { latents } = calmed(noise);
    expect(Math.hypot(...latents) / Math.sqrt(latents.length)).toBeCloseTo(1, 5);
    expect(previewer.preview(calmed(noise)).data).toHaveLength(8 * 8 * 3);
  });
});

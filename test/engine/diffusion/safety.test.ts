// The checker's verdicts and the tiled decoding against diffusers (made by test/reference/families/safety.py).
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { createLatentDecoder, type VaeConfig } from "../../../src/engine/diffusion/latent-decoder.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(60_000);

const families = join(import.meta.dir, "../../reference/families");
const folder = join(families, "sd-safety");
const cases: {
  prompt: string;
  steps: number;
  guidance: number;
  seed: number;
  width: number;
  height: number;
  has_nsfw_concepts: boolean[];
} = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
const input = {
  prompt: cases.prompt,
  num_inference_steps: cases.steps,
  guidance_scale: cases.guidance,
  seed: cases.seed,
  num_images: 6,
  image_size: { width: 64, height: 64 },
  output_format: "png",
};
const assets = openOverlay([folder, join(families, "sd")]);
const read = async (path: string) => await assets.codec.decode(readFileSync(join(families, path)));

const isBlack = ({ data }: Pixels) => data.every((value) => value === 0);

async function pictures(more: Record<string, unknown>, of = assets) {
  const { output, files, log, steps } = await runOnce(textToImage, {
    assets: of,
    wantsPartials: true,
    input: { ...input, ...more },
  });
  const pixels = await Promise.all(
    output.images.map(({ file_name }) => of.codec.decode(files.get(file_name) ?? new Uint8Array())),
  );
  return { flags: output.has_nsfw_concepts, pixels, log, partials: steps.filter(({ type }) => type === "partial") };
}

test("flagged pictures are black, of the same size, and said to be so; no preview shows them", async () => {
  const size = { width: cases.width, height: cases.height };
  const { flags, pixels, partials } = await pictures({ image_size: size, enable_safety_checker: true });
  expect(flags).toEqual(cases.has_nsfw_concepts);
  expect(pixels.map(isBlack)).toEqual(flags);
  expect(partials).toEqual([]);
  for (const [at, picture] of pixels.entries()) {
    const wanted = await read(`sd-safety/image-${at + 1}.png`);
    expect(picture).toMatchObject(size);
    expect(Math.max(...picture.data.map((value, i) => Math.abs(value - (wanted.data[i] ?? 0))))).toBeLessThanOrEqual(2);
  }
});

test("without the wish for it, or without a checker, nothing is flagged; the log says where there is none", async () => {
  const unchecked = await pictures({ enable_safety_checker: false });
  expect(unchecked.flags).toEqual(new Array(6).fill(false));
  expect(unchecked.pixels.some(isBlack)).toBe(false);
  const without = openOverlay([join(families, "sd")]);
  const { flags, log } = await pictures({ enable_safety_checker: true, num_images: 1 }, without);
  expect(flags).toEqual([false]);
  expect(log.join("\n")).toContain("no safety checker");
});

test("a large picture is decoded in tiles that are blended as diffusers does, a small one whole", async () => {
  const sd = openFolder(join(families, "sd"));
  const graph = await sd.graph("vae_decoder/model.onnx");
  const config = await sd.json<VaeConfig>("vae_decoder/config.json");
  const latents = new Float32Array(new Uint8Array(readFileSync(join(families, "sd-tiles/latents.bin"))).buffer);
  const areas: number[] = [];
  const run: typeof graph.run = (inputs) => {
    const [, , height = 0, width = 0] = inputs.latent_sample?.shape ?? [];
    areas.push(height * width);
    return graph.run(inputs);
  };
  const decode = async (wholePixels: number) => {
    const decoder = createLatentDecoder({ graph: { ...graph, run }, config, wholePixels });
    const [picture] = await Array.fromAsync(decoder.decode(latents, [1, 4, 21, 30]));
    return picture ?? { data: new Uint8Array(), width: 0, height: 0, channels: 3 };
  };
  const tiled = await decode(1000);
  expect(areas).toHaveLength(20);
  expect(Math.max(...areas)).toBe(64);
  const wanted = await read("sd-tiles/tiled.png");
  expect(tiled).toMatchObject({ width: wanted.width, height: wanted.height });
  expect(Math.max(...tiled.data.map((value, i) => Math.abs(value - (wanted.data[i] ?? 999))))).toBeLessThanOrEqual(2);
  areas.length = 0;
  await decode(120 * 84);
  expect(areas).toEqual([21 * 30]);
});

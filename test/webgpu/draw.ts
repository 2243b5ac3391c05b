// Draws a picture of the tiny model on the CPU and on WebGPU in one process, which the test starts with a Vulkan driver of its choice.
import { join } from "node:path";
import { textToImage } from "../../src/engine/pipelines/text-to-image.ts";
import { createAssets } from "../../src/engine/runner/assets.ts";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { openGraph } from "../../src/engine/runner/session.ts";
import { noTransformers, runOnce } from "../engine/support/load.ts";

const codec = createCodec();
const input = { prompt: "a", seed: 5, num_inference_steps: 2, output_format: "png" };

async function draw(kind: "cpu" | "webgpu") {
  const assets = createAssets({
    folder: join(import.meta.dir, "../engine/tiny/optimum"),
    open: (path) => openGraph(path, { device: { kind, index: 0 }, threads: 1 }),
    openTransformers: noTransformers,
    codec,
  });
  const { files } = await runOnce(textToImage, { assets, input });
  await assets.release();
  return await codec.decode(files.get("image-1.png") ?? new Uint8Array());
}

const [onCpu, onGpu] = [await draw("cpu"), await draw("webgpu")];
const differences = onCpu.data.map((value, i) => Math.abs(value - (onGpu.data[i] ?? 0)));
const spread = onCpu.data.reduce((most, value) => Math.max(most, value), 0) - Math.min(...onCpu.data);
process.stdout.write(`${JSON.stringify({ largest: Math.max(...differences), spread, pixels: onGpu.data.length })}\n`);
// WebGPU's threads keep the process alive.
process.exit(0);

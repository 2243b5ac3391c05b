// One device's part of `bun test/gpu/main.ts`, in a process that sees that device alone: prints one line of JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeviceKind } from "../../src/core/device.ts";
import type { Tensor } from "../../src/core/tensor.ts";
import { textToImage } from "../../src/engine/pipelines/text-to-image.ts";
import { createAssets } from "../../src/engine/runner/assets.ts";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { prepareNatives } from "../../src/engine/runner/native.ts";
import { runOnce } from "../engine/support/load.ts";
import { seededRandom } from "../support/seeded-random.ts";

export type Order = {
  kind: DeviceKind;
  libraries?: string;
  /** Folder of the large graph, and where the CPU's results lie, or are put by it. */
  folder: string;
  latent: number;
  channels: number;
  steps: number;
  threads: number;
};

export type Measured = {
  loadMs: number;
  firstMs: number;
  stepsPerSecond: number;
  /** Of the process in main memory; what it holds on a card is measured by who started it. */
  residentBytes: number;
  /** Largest difference from the CPU: of the graph's output by its size, and of the demo's picture in 255ths. */
  relative: number;
  picture: number;
};

const order = JSON.parse(process.argv[2] ?? "{}") as Order; // by main.ts
await prepareNatives({ runtime: order.folder, libraries: order.libraries });
const { openGraph } = await import("../../src/engine/runner/session.ts");
const device = { kind: order.kind, index: 0 };

function feeds(): Record<string, Tensor> {
  const dice = seededRandom(2);
  const tensor = (shape: number[]): Tensor => ({
    ...{ dtype: "float32", shape },
    data: Float32Array.from({ length: shape.reduce((product, each) => product * each, 1) }, () => 2 * dice() - 1),
  });
  const { latent, channels } = order;
  return {
    sample: tensor([2, 4, latent, latent]),
    time: tensor([2, channels]),
    context: tensor([2, 77, 768]),
  };
}

const begun = performance.now();
const graph = await openGraph(join(order.folder, "model.onnx"), { device, threads: order.threads });
const loadMs = performance.now() - begun;
const inputs = feeds();
const output = async () => Object.values(await graph.run(inputs))[0]?.data as Float32Array; // the graph's only one
const firstAt = performance.now();
const result = await output();
const firstMs = performance.now() - firstAt;
const stepsAt = performance.now();
for (let step = 0; step < order.steps; step++) await output();
const stepsPerSecond = (1000 * order.steps) / (performance.now() - stepsAt);
const residentBytes = process.memoryUsage.rss();
await graph.release();

const codec = createCodec();
const assets = createAssets({
  folder: join(import.meta.dir, "../../models/demo/diffusion"),
  open: (path) => openGraph(path, { device, threads: order.threads }),
  codec,
});
const input = { prompt: "a big red circle on a blue ground", seed: 3, num_inference_steps: 2, output_format: "png" };
const { files } = await runOnce(textToImage, { assets, input });
const picture = await codec.decode(files.get("image-1.png") ?? new Uint8Array());

const kept = { output: join(order.folder, "cpu-output.bin"), picture: join(order.folder, "cpu-picture.bin") };
if (order.kind === "cpu") {
  writeFileSync(kept.output, new Uint8Array(result.buffer, result.byteOffset, result.byteLength));
  writeFileSync(kept.picture, picture.data);
}
const expected = new Float32Array(new Uint8Array(readFileSync(kept.output)).buffer);
const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (result[at] ?? Number.NaN))), 0);
const pixels = readFileSync(kept.picture);
const measured: Measured = {
  ...{ loadMs, firstMs, stepsPerSecond, residentBytes, relative: apart / size },
  picture: picture.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (pixels[at] ?? 255))), 0),
};
process.stdout.write(`${JSON.stringify(measured)}\n`);
// WebGPU's threads keep the process alive.
process.exit(0);

// The test inference that a device must pass before models are placed on it: a small graph against the CPU's result.
import { ForecourtError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { encodeGraph } from "../graph-file/graph-file.ts";
import type { Place } from "../protocol.ts";
import { prepareNatives } from "./native.ts";

const [CHANNELS, SIZE, CLASSES] = [8, 16, 16];
const FLAT = CHANNELS * SIZE * SIZE;
/** GPUs sum in another order, and multiply with fewer bits where TF32 is on (10 bits of mantissa); results are around 1. */
const TOLERANCE = 5e-3;

/** Throws `runner_failed` when the device cannot run the graph, leaves a part of it to the CPU, or computes something else. */
export async function tryDevice({ device, runtime, libraries }: Place): Promise<void> {
  await prepareNatives({ runtime, libraries });
  const { openGraph } = await import("./session.ts");
  const bytes = encodeGraph(trialGraph());
  const run = async (kind: Place["device"]["kind"]) => {
    const graph = await openGraph(
      { name: "of the trial", bytes },
      { device: { kind, index: 0 }, threads: 1, isStrict: kind !== "cpu" },
    );
    const { y } = await graph.run({
      x: { dtype: "float32", shape: [1, 3, SIZE, SIZE], data: wave(3 * SIZE * SIZE, 0.37) },
    });
    return y;
  };
  const difference = largestDifference(await run("cpu"), await run(device.kind));
  if (!(difference <= TOLERANCE)) {
    throw new ForecourtError("runner_failed", `it computes wrong numbers: they differ from the CPU's by ${difference}`);
  }
}

/** Convolution, activation, multiplication and softmax: what models are made of. */
const trialGraph = () => ({
  inputs: [{ name: "x", dtype: "float32" as const, shape: [1, 3, SIZE, SIZE] }],
  outputs: [{ name: "y", dtype: "float32" as const, shape: [1, CLASSES] }],
  weights: [
    weight("kernel", [CHANNELS, 3, 3, 3], 0.2),
    weight("matrix", [FLAT, CLASSES], 0.05),
    weight("offset", [CLASSES], 0.5),
  ],
  nodes: [
    { op: "Conv", inputs: ["x", "kernel"], outputs: ["c"], attributes: { pads: [1, 1, 1, 1] } },
    { op: "Sigmoid", inputs: ["c"], outputs: ["s"] },
    { op: "Flatten", inputs: ["s"], outputs: ["f"], attributes: { axis: 1 } },
    { op: "MatMul", inputs: ["f", "matrix"], outputs: ["m"] },
    { op: "Add", inputs: ["m", "offset"], outputs: ["a"] },
    { op: "Softmax", inputs: ["a"], outputs: ["y"], attributes: { axis: 1 } },
  ],
});

function weight(name: string, shape: number[], scale: number) {
  const values = wave(
    shape.reduce((product, size) => product * size, 1),
    0.73,
  ).map((value) => value * scale);
  return { name, dtype: "float32" as const, shape, content: new Uint8Array(values.buffer) };
}

const wave = (count: number, step: number) => Float32Array.from({ length: count }, (_, at) => Math.sin(at * step));

function largestDifference(a: Tensor | undefined, b: Tensor | undefined): number {
  if (!(a?.data instanceof Float32Array) || !(b?.data instanceof Float32Array)) return Number.NaN;
  const other = b.data;
  return a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (other[at] ?? Number.NaN))), 0);
}

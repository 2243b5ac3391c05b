// Graph files written here, read and computed by onnxruntime.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeGraph, type GraphFile } from "../../../src/engine/graph-file/graph-file.ts";
import { openGraph } from "../../../src/engine/runner/session.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-graph-"));
afterAll(() => rmSync(folder, { recursive: true }));

const options = { device: { kind: "cpu", index: 0 }, threads: 1 } as const;
const x = { dtype: "float32", shape: [1, 3], data: Float32Array.of(1, 2, 3) } as const;

const graph = (weight: GraphFile["weights"][number]): GraphFile => ({
  inputs: [{ name: "x", dtype: "float32", shape: ["batch", 3] }],
  outputs: [{ name: "y", dtype: "float32", shape: ["batch", 2] }],
  weights: [weight],
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["m"] },
    { op: "LeakyRelu", inputs: ["m"], outputs: ["y"], attributes: { alpha: 0.5 } },
  ],
});
const values = Float32Array.of(1, 0, 0, -1, 1, 0);

test("a graph with its weights inside computes what it says, and names its open dimensions", async () => {
  const content = new Uint8Array(values.buffer);
  const bytes = encodeGraph(graph({ name: "w", dtype: "float32", shape: [3, 2], content }));
  const opened = await openGraph({ name: "small", bytes }, options);
  expect(opened.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["batch", 3] }]);
  const { y } = await opened.run({ x });
  expect([...(y?.data ?? [])].map(Number)).toEqual([4, -1]);
  await opened.release();
});

test("weights in a file beside it are found at their offset", async () => {
  writeFileSync(join(folder, "weights.bin"), new Uint8Array(Float32Array.of(9, 9, ...values).buffer));
  const external = { location: "weights.bin", offset: 8, length: values.byteLength };
  const path = join(folder, "model.onnx");
  writeFileSync(path, encodeGraph(graph({ name: "w", dtype: "float32", shape: [3, 2], external })));
  const opened = await openGraph(path, options);
  const { y } = await opened.run({ x });
  expect([...(y?.data ?? [])].map(Number)).toEqual([4, -1]);
  await opened.release();
});

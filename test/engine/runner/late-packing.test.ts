// Graphs whose weights are laid out anew after their first run: what is opened when, and that the answers agree.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeGraph, type FileNode } from "../../../src/engine/graph-file/graph-file.ts";
import { hasPlainWeightsBeside } from "../../../src/engine/onnx-file/plain-weights.ts";
import { gainsByLatePacking, openLate } from "../../../src/engine/runner/late-packing.ts";
import { type GraphOptions, openGraph } from "../../../src/engine/runner/session.ts";
import { tensorOf, toFloats } from "../../../src/engine/tensor/tensor.ts";
import { until } from "../../support/until.ts";

const SIDE = 64;
const BYTES = SIDE * SIDE * 4;
const cpu: GraphOptions = { device: { kind: "cpu", index: 0 }, threads: 1 };
let folder = "";
let path = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "forecourt-late-"));
  path = join(folder, "model.onnx");
  writeFileSync(path, graphWith());
  const weights = Float32Array.from({ length: SIDE * SIDE }, (_, at) => Math.sin(at));
  writeFileSync(join(folder, "model.onnx_data"), weights);
});
afterAll(() => rmSync(folder, { recursive: true }));

function graphWith(more: FileNode[] = [], length = BYTES): Uint8Array {
  return encodeGraph({
    inputs: [{ name: "x", dtype: "float32", shape: ["rows", SIDE] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["rows", SIDE] }],
    weights: [
      {
        ...{ name: "w", dtype: "float32", shape: [SIDE, SIDE] },
        external: { location: "model.onnx_data", offset: 0, length },
      },
    ],
    nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }, ...more],
  });
}

const x = tensorOf(
  "float32",
  [3, SIDE],
  Float32Array.from({ length: 3 * SIDE }, (_, at) => Math.cos(at)),
);

/** `packed`: of each opening, whether its weights were laid out. `released`: the openings that were given back. */
async function stage(more: { afterRunMs?: number; afterOpeningMs?: number; fail?: boolean } = {}) {
  const packed: boolean[] = [];
  const released: number[] = [];
  const warnings: string[] = [];
  const { fail, ...waits } = more;
  const graph = await openLate(path, cpu, {
    ...{ afterRunMs: 60_000, afterOpeningMs: 60_000, ...waits },
    warn: (message) => warnings.push(message),
    async open(from, options) {
      const isPacked = options.execution?.session["session.disable_prepacking"] === undefined;
      const at = packed.push(isPacked) - 1;
      if (fail && isPacked) throw new Error("no memory");
      const opened = await openGraph(from, options);
      return { ...opened, release: () => opened.release().finally(() => released.push(at)) };
    },
  });
  return { graph, packed, released, warnings };
}

const yOf = async (graph: { run: Awaited<ReturnType<typeof openGraph>>["run"] }) => {
  const { y } = await graph.run({ x });
  return y ? [...toFloats(y)] : [];
};

test("the first run comes before the weights are laid out, the second one after it, and they agree", async () => {
  const { graph, packed, released } = await stage();
  expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  const first = await yOf(graph);
  expect(packed).toEqual([false]);
  const second = await yOf(graph);
  await yOf(graph);
  expect(packed).toEqual([false, true]);
  await until(() => released.length === 1);
  expect(released).toEqual([0]);
  for (const [at, value] of first.entries()) expect(second[at]).toBeCloseTo(value, 4);
  await graph.release();
  expect(released).toEqual([0, 1]);
});

test("runs side by side wait for one second opening, and what still runs is not given back under them", async () => {
  const { graph, packed, released } = await stage();
  const all = await Promise.all([1, 2, 3].map(() => yOf(graph)));
  expect(packed).toEqual([false, true]);
  for (const values of all) expect(values[5]).toBeCloseTo(all[0]?.[5] ?? Number.NaN, 4);
  await until(() => released.length === 1);
  await graph.release();
});

test("at rest they are laid out by themselves: after a run, and where none came", async () => {
  const ran = await stage({ afterRunMs: 5 });
  await yOf(ran.graph);
  await until(() => ran.packed.length === 2);
  const idle = await stage({ afterOpeningMs: 5 });
  await until(() => idle.packed.length === 2);
  for (const { graph } of [ran, idle]) await graph.release();
  expect(ran.released.sort()).toEqual([0, 1]);
});

test("where that fails, the graph goes on as it is and says so once", async () => {
  const { graph, warnings } = await stage({ fail: true });
  const first = await yOf(graph);
  expect(await yOf(graph)).toEqual(first);
  await yOf(graph);
  expect(warnings).toEqual([`${path} stays as it lies in its file: no memory`]);
  await graph.release();
});

test("one that is given back before its second opening is not opened again", async () => {
  const { graph, packed, released } = await stage({ afterRunMs: 20, afterOpeningMs: 20 });
  await yOf(graph);
  await graph.release();
  await Bun.sleep(60);
  expect([packed, released]).toEqual([[false], [0]]);
});

test("only weights of single precision beside the file are left as they are, and only large ones", async () => {
  expect(hasPlainWeightsBeside(graphWith(), BYTES)).toBe(true);
  expect(hasPlainWeightsBeside(graphWith(), BYTES + 1)).toBe(false);
  const fourBits = { op: "MatMulNBits", domain: "com.microsoft", inputs: ["y", "w"], outputs: ["z"] };
  expect(hasPlainWeightsBeside(graphWith([fourBits]), BYTES)).toBe(false);
  expect(hasPlainWeightsBeside(graphWith([{ ...fourBits, domain: "", op: "MatMulInteger" }]), BYTES)).toBe(false);
  expect(await gainsByLatePacking(path, cpu)).toBe(false);
  const large = join(folder, "large.onnx");
  writeFileSync(large, graphWith([], 200e6));
  expect(await gainsByLatePacking(large, cpu)).toBe(true);
  expect(await gainsByLatePacking(large, { ...cpu, device: { kind: "webgpu", index: 0 } })).toBe(false);
  expect(await gainsByLatePacking(join(folder, "none.onnx"), cpu)).toBe(false);
});

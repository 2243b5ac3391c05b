import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bytes, MIB } from "../../../src/core/units.ts";
import { encodeGraph } from "../../../src/engine/graph-file/graph-file.ts";
import { type KeptGraphs, openKept } from "../../../src/engine/runner/kept-graph.ts";
import type { OpenGraph } from "../../../src/engine/runner/session.ts";
import { tensorOf, toFloats } from "../../../src/engine/tensor/tensor.ts";

const DEMO = join(import.meta.dir, "../../../models/demo/diffusion/unet/model.onnx");
const cpu = { device: { kind: "cpu", index: 0 }, threads: 1 } as const;
let scratch = "";
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "forecourt-kept-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** A folder of its own, and what was warned of. */
function keep(limit = 100 * MIB) {
  const warnings: string[] = [];
  const kept: KeptGraphs = {
    folder: mkdtempSync(join(scratch, "graphs-")),
    limit: bytes(limit),
    warn: (message) => warnings.push(message),
  };
  return { kept, warnings, files: () => readdirSync(kept.folder).map((name) => join(kept.folder, name)) };
}

/** What the demo's UNet makes of some numbers. */
async function numbersOf(graph: OpenGraph): Promise<number[]> {
  const feeds = graph.inputs.map(({ name, dtype, shape }) => {
    const sizes = shape.map((size, at) => (typeof size === "number" ? size : at === 0 ? 1 : 8));
    const count = sizes.reduce((a, b) => a * b, 1);
    return [
      name,
      tensorOf(
        dtype,
        sizes,
        Array.from({ length: count }, (_, i) => Math.sin(i)),
      ),
    ] as const;
  });
  const [output] = Object.values(await graph.run(Object.fromEntries(feeds)));
  await graph.release();
  return output ? [...toFloats(output)] : [];
}

/** Weights of 4 MiB that nothing but `value` tells apart, in the graph or in a file beside it. */
function writeGraph(name: string, value: number, isExternal = false): string {
  const folder = mkdtempSync(join(scratch, "graph-"));
  const content = new Uint8Array(new Float32Array(MIB).fill(value).buffer);
  const weight = { name: "w", dtype: "float32", shape: [MIB] } as const;
  if (isExternal) writeFileSync(join(folder, "weights.bin"), content);
  const external = { location: "weights.bin", offset: 0, length: content.length };
  const graph = encodeGraph({
    inputs: [{ name: "x", dtype: "float32", shape: [1] }],
    outputs: [{ name: "y", dtype: "float32", shape: [MIB] }],
    weights: [isExternal ? { ...weight, external } : { ...weight, content }],
    nodes: [{ op: "Mul", inputs: ["x", "w"], outputs: ["y"] }],
  });
  writeFileSync(join(folder, name), graph);
  return join(folder, name);
}

async function numberOf(graph: OpenGraph): Promise<number | undefined> {
  const { y } = await graph.run({ x: tensorOf("float32", [1], [1]) });
  await graph.release();
  return y && toFloats(y)[0];
}

test("a graph is kept once, for nobody else to read, and computes to the bit what it did", async () => {
  const { kept, warnings, files } = keep();
  const plain = await numbersOf(await openKept(DEMO, cpu, undefined));
  const first = await numbersOf(await openKept(DEMO, cpu, kept));
  const [file = ""] = files();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const made = statSync(file);
  const second = await numbersOf(await openKept(DEMO, cpu, kept));
  expect(plain.length).toBeGreaterThan(0);
  expect(first).toEqual(plain);
  expect(second).toEqual(plain);
  // Opened, not written again.
  expect([files(), statSync(file).ino]).toEqual([[file], made.ino]);
  expect(warnings).toEqual([]);
}, 60_000);

test("other contents and other options have other kept forms", async () => {
  const { kept, files } = keep();
  const path = writeGraph("model.onnx", 2);
  expect(await numberOf(await openKept(path, cpu, kept))).toBe(2);
  cpSync(writeGraph("model.onnx", 3), path);
  expect(await numberOf(await openKept(path, cpu, kept))).toBe(3);
  expect(files()).toHaveLength(2);
  expect(await numberOf(await openKept(path, { ...cpu, threads: 2 }, kept))).toBe(3);
  expect(files()).toHaveLength(3);
});

test("a kept form that cannot be read is told of and made anew", async () => {
  const { kept, warnings, files } = keep();
  const path = writeGraph("model.onnx", 2);
  await numberOf(await openKept(path, cpu, kept));
  const [file = ""] = files();
  writeFileSync(file, "torn");
  expect(await numberOf(await openKept(path, cpu, kept))).toBe(2);
  expect(warnings).toEqual([expect.stringContaining("is not usable and made anew")]);
  expect(statSync(file).size).toBeGreaterThan(MIB);
});

test("what was opened least recently goes when there is no more room, and drafts of processes that were ended", async () => {
  const { kept, files } = keep(10 * MIB);
  const paths = [1, 2, 3].map((value) => writeGraph("model.onnx", value));
  const [a = "", b = "", c = ""] = paths;
  await numberOf(await openKept(a, cpu, kept));
  const [first = ""] = files();
  await numberOf(await openKept(b, cpu, kept));
  const [second = ""] = files().filter((each) => each !== first);
  const draft = join(kept.folder, "abc.onnx.123");
  writeFileSync(draft, "");
  for (const [file, hours] of [
    [first, 3],
    [second, 2],
    [draft, 2],
  ] as const) {
    const then = Date.now() / 1000 - hours * 3600;
    utimesSync(file, then, then);
  }
  await numberOf(await openKept(a, cpu, kept));
  await numberOf(await openKept(c, cpu, kept));
  expect(existsSync(first)).toBe(true);
  expect([existsSync(second), existsSync(draft), files().length]).toEqual([false, false, 2]);
});

test("a graph with weights beside it is not kept, since they would be written again", async () => {
  const { kept, warnings, files } = keep();
  expect(await numberOf(await openKept(writeGraph("model.onnx", 5, true), cpu, kept))).toBe(5);
  expect([files(), warnings]).toEqual([[], []]);
});

test.each([
  [true, "is not kept either when its weights lie beside it"],
  [false, "is known by its name, and not read once it is kept"],
])("a file of the Hub's layout (weights beside it: %p) %s", async (isExternal) => {
  const { kept, warnings, files } = keep();
  const path = writeGraph("model.onnx", 5, isExternal);
  const blobs = join(dirname(path), "blobs");
  mkdirSync(blobs);
  const blob = join(blobs, "a".repeat(64));
  renameSync(path, blob);
  symlinkSync(blob, path);
  if (isExternal) {
    renameSync(join(dirname(path), "weights.bin"), join(blobs, "weights.bin"));
    symlinkSync(join(blobs, "weights.bin"), join(dirname(path), "weights.bin"));
  }
  expect(await numberOf(await openKept(path, cpu, kept))).toBe(5);
  expect([files().length, warnings]).toEqual([isExternal ? 0 : 1, []]);
  if (isExternal) return;
  writeFileSync(blob, "torn");
  expect(await numberOf(await openKept(path, cpu, kept))).toBe(5);
});

test("where nothing can be written the graph opens all the same, and that is told", async () => {
  const { kept, warnings } = keep();
  const blocked = join(kept.folder, "file");
  writeFileSync(blocked, "");
  const graph = await openKept(writeGraph("model.onnx", 7), cpu, { ...kept, folder: join(blocked, "graphs") });
  expect(await numberOf(graph)).toBe(7);
  expect(warnings).toEqual([expect.stringContaining("could not be kept")]);
});

test("a limit of nothing keeps nothing", async () => {
  const { kept, files } = keep(0);
  expect(await numberOf(await openKept(writeGraph("model.onnx", 2), cpu, kept))).toBe(2);
  expect(files()).toEqual([]);
});

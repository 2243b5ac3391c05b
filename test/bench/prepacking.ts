// `bun run bench:prepacking`: what laying weights out anew for the processor costs when a graph is opened, and what it
// saves in each run; layers like those of encoders and UNets, with and without, in turns, medians.
import { randomFillSync } from "node:crypto";
import { median } from "../../src/cli/bench/statistics.ts";
import type { Tensor } from "../../src/core/tensor.ts";
import { encodeGraph, type FileNode, type FileWeight } from "../../src/engine/graph-file/graph-file.ts";
import { type OpenGraph, openGraph } from "../../src/engine/runner/session.ts";

/** `rows`: how many vectors (tokens, pixels) go through at a time. */
type Case = { name: string; rows: readonly number[]; build(): Layers; shapeOf(rows: number): number[] };
type Layers = { nodes: FileNode[]; weights: FileWeight[]; shape: (number | string)[] };

const ROUNDS = Number(process.env.ROUNDS ?? 9);
const OPENINGS = 5;
const ALL_ROWS = [1, 4, 16, 64, 256, 1024, 4096];

/** Numbers of either sign around 0.01: random bits as they are would be infinite now and then. */
function floats(count: number): Uint8Array {
  const words = randomFillSync(new Uint32Array(count));
  for (let at = 0; at < count; at++) words[at] = ((words[at] ?? 0) & 0x807fffff) | 0x3c000000;
  return new Uint8Array(words.buffer);
}

const randomBytes = (count: number) => randomFillSync(new Uint8Array(count));
const float = (name: string, shape: number[]): FileWeight => ({
  ...{ name, dtype: "float32", shape },
  content: floats(shape.reduce((product, each) => product * each, 1)),
});

/** The last node's output is the graph's. */
function graphOf({ nodes, weights, shape }: Layers): Uint8Array {
  const last = nodes.at(-1)?.outputs[0] ?? "";
  const output = { name: last, dtype: "float32" as const, shape: shape.map((_, at) => `o${at}`) };
  return encodeGraph({ inputs: [{ name: "x", dtype: "float32", shape }], outputs: [output], weights, nodes });
}

/** There and back, as the feed-forward part of a transformer: width -> inner -> width, several times. */
function feedForward(width: number, inner: number, layer: (at: number, from: number, to: number) => Layer): Layers {
  const sizes = [0, 1, 2].flatMap(() => [
    [width, inner],
    [inner, width],
  ]);
  const layers = sizes.map(([from = 0, to = 0], at) => layer(at, from, to));
  return {
    nodes: layers.map(({ node }) => node),
    weights: layers.flatMap(({ weights }) => weights),
    shape: ["rows", width],
  };
}

type Layer = { node: FileNode; weights: FileWeight[] };
const before = (at: number) => (at === 0 ? "x" : `y${at - 1}`);

const matMul = (at: number, from: number, to: number): Layer => ({
  node: { op: "MatMul", inputs: [before(at), `w${at}`], outputs: [`y${at}`] },
  weights: [float(`w${at}`, [from, to])],
});

const gemm = (at: number, from: number, to: number): Layer => ({
  node: { op: "Gemm", inputs: [before(at), `w${at}`, `b${at}`], outputs: [`y${at}`], attributes: { transB: 1 } },
  weights: [float(`w${at}`, [to, from]), float(`b${at}`, [to])],
});

const BLOCK = 32;

/** Weights of four bits, computed as onnxruntime's exporters ask for: `accuracy_level` 4 is with numbers of 8 bits. */
const fourBits =
  (accuracy: number) =>
  (at: number, from: number, to: number): Layer => {
    const blocks = from / BLOCK;
    return {
      node: {
        ...{ op: "MatMulNBits", domain: "com.microsoft" },
        inputs: [before(at), `w${at}`, `s${at}`],
        outputs: [`y${at}`],
        attributes: { K: from, N: to, bits: 4, block_size: BLOCK, accuracy_level: accuracy },
      },
      weights: [
        { name: `w${at}`, dtype: "uint8", shape: [to, blocks, BLOCK / 2], content: randomBytes(to * blocks * 16) },
        float(`s${at}`, [to * blocks]),
      ],
    };
  };

const eightBits = (at: number, from: number, to: number): Layer => ({
  node: {
    ...{ op: "DynamicQuantizeMatMul", domain: "com.microsoft" },
    ...{ inputs: [before(at), `w${at}`, `s${at}`, `z${at}`], outputs: [`y${at}`] },
  },
  weights: [
    { name: `w${at}`, dtype: "uint8", shape: [from, to], content: randomBytes(from * to) },
    float(`s${at}`, [1]),
    { name: `z${at}`, dtype: "uint8", shape: [1], content: Uint8Array.of(128) },
  ],
});

function convolutions(channels: number): Layers {
  const names = Array.from({ length: 6 }, (_, at) => at);
  return {
    nodes: names.map((at) => ({
      ...{ op: "Conv", inputs: [before(at), `w${at}`], outputs: [`y${at}`] },
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    })),
    weights: names.map((at) => float(`w${at}`, [channels, channels, 3, 3])),
    shape: [1, channels, "height", "width"],
  };
}

const rowsOf = (width: number) => (rows: number) => [rows, width];
const picture = (channels: number) => (rows: number) => [1, channels, Math.sqrt(rows), Math.sqrt(rows)];

const CASES: Case[] = [
  {
    name: "MatMul 768 x 3072 (CLIP, BERT)",
    rows: ALL_ROWS,
    build: () => feedForward(768, 3072, matMul),
    shapeOf: rowsOf(768),
  },
  {
    name: "MatMul 1024 x 4096 (ViT-L, T5)",
    rows: ALL_ROWS,
    build: () => feedForward(1024, 4096, matMul),
    shapeOf: rowsOf(1024),
  },
  {
    name: "MatMul 1280 x 5120 (UNet)",
    rows: [1, 64, 256, 1024],
    build: () => feedForward(1280, 5120, matMul),
    shapeOf: rowsOf(1280),
  },
  {
    name: "Gemm 768 x 3072, transposed",
    rows: ALL_ROWS,
    build: () => feedForward(768, 3072, gemm),
    shapeOf: rowsOf(768),
  },
  { name: "Conv 3 x 3, 640 channels", rows: [64, 256, 1024], build: () => convolutions(640), shapeOf: picture(640) },
  {
    name: "MatMulNBits 4 bits, by 8 bits",
    rows: [1, 16, 256],
    build: () => feedForward(2048, 8192, fourBits(4)),
    shapeOf: rowsOf(2048),
  },
  {
    name: "MatMulNBits 4 bits, by floats",
    rows: [1, 16, 256],
    build: () => feedForward(2048, 8192, fourBits(0)),
    shapeOf: rowsOf(2048),
  },
  {
    name: "DynamicQuantizeMatMul 8 bits",
    rows: [1, 16, 256],
    build: () => feedForward(768, 3072, eightBits),
    shapeOf: rowsOf(768),
  },
];

const THREADS = Number(process.env.THREADS ?? 1);
const open = (bytes: Uint8Array, isPacked: boolean) =>
  openGraph(
    { name: "bench", bytes },
    {
      device: { kind: "cpu", index: 0 },
      threads: THREADS,
      execution: {
        ...{ optimization: "all", arena: true, memoryPattern: true },
        session: isPacked ? {} : { "session.disable_prepacking": "1" },
      },
    },
  );

type Sample = { ms: number; cpuMs: number };

async function timed<T>(act: () => Promise<T>): Promise<Sample & { result: T }> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  const result = await act();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - begun, cpuMs: (user + system) / 1000, result };
}

function inputOf(shape: number[]): Tensor {
  const count = shape.reduce((product, each) => product * each, 1);
  return { dtype: "float32", shape, data: new Float32Array(floats(count).buffer) };
}

const PACKINGS = [true, false];
type Both<T> = { packed: T; plain: T };
const cpuOf = (samples: Sample[]) => median(samples.map(({ cpuMs }) => cpuMs));
const print = (line: string) => process.stdout.write(`${line}\n`);
const number = (value: number, digits = 1) => value.toFixed(digits).padStart(9);

async function opened(bytes: Uint8Array): Promise<Both<number>> {
  const samples: Both<Sample[]> = { packed: [], plain: [] };
  for (let round = 0; round < OPENINGS; round++) {
    for (const isPacked of PACKINGS) {
      const { result, ...sample } = await timed(() => open(bytes, isPacked));
      samples[isPacked ? "packed" : "plain"].push(sample);
      await result.release();
    }
  }
  return { packed: cpuOf(samples.packed), plain: cpuOf(samples.plain) };
}

async function ran(graphs: Both<OpenGraph>, x: Tensor): Promise<Both<number>> {
  const samples: Both<Sample[]> = { packed: [], plain: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of ["packed", "plain"] as const) {
      const { ms, cpuMs } = await timed(() => graphs[name].run({ x }));
      // The first one allocates.
      if (round > 0) samples[name].push({ ms, cpuMs });
    }
  }
  return { packed: cpuOf(samples.packed), plain: cpuOf(samples.plain) };
}

/** Runs after which what was spent when the graph was opened has come back. */
const worth = (cost: number, saved: number) => (saved <= 0 ? "never" : (cost / saved).toFixed(1));

print(`CPU milliseconds, medians of ${ROUNDS} runs in turns, ${THREADS} threads`);
for (const { name, rows, build, shapeOf } of CASES) {
  const bytes = graphOf(build());
  const opening = await opened(bytes);
  const cost = opening.packed - opening.plain;
  print(
    `\n${name}, ${(bytes.length / 1e6).toFixed(0)} MB: opened in${number(opening.packed)}, unpacked in${number(opening.plain)}`,
  );
  print("     rows   packed  unpacked     share  pays after runs");
  const graphs = { packed: await open(bytes, true), plain: await open(bytes, false) };
  for (const each of rows) {
    const { packed, plain } = await ran(graphs, inputOf(shapeOf(each)));
    const share = `${((100 * plain) / packed).toFixed(0)} %`.padStart(9);
    print(`${String(each).padStart(9)}${number(packed)}${number(plain)}${share}  ${worth(cost, plain - packed)}`);
  }
  for (const graph of [graphs.packed, graphs.plain]) await graph.release();
}

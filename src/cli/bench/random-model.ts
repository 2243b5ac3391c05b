// A model of random weights, of any size: what loading takes is measured with it, since no weights need to be fetched.
import { randomFillSync } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeGraph, type FileNode, type FileWeight } from "../../engine/graph-file/graph-file.ts";

export const RANDOM_MODEL = "bench/random-weights";
/** The same weights, which the CPU's provider lays out anew (prepacking) only after the first answer. */
export const LATE_MODEL = "bench/random-weights-late";

const SIDE = 4096;
/** 64 MiB of float32. */
const MATRIX_BYTES = SIDE * SIDE * 4;

/** Puts its files into `<data>/models` and its weights into `<data>/random-weights`; the folder of the latter. */
export async function writeRandomModel(data: string, megabytes: number): Promise<string> {
  const folder = join(data, "random-weights");
  const matrices = Math.max(1, Math.round((megabytes * 1e6) / MATRIX_BYTES));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.onnx"), graphOf(matrices));
  await writeWeights(join(folder, "model.onnx_data"), matrices);
  await mkdir(join(data, "models"), { recursive: true });
  const late = "execution: { prepacking: late }\n";
  await writeFile(join(data, "models", "random-weights.yaml"), fileOf(RANDOM_MODEL, folder, matrices));
  await writeFile(join(data, "models", "late.yaml"), fileOf(LATE_MODEL, folder, matrices) + late);
  return folder;
}

/** A number, spread over a row, through all matrices, and its mean. */
function graphOf(matrices: number): Uint8Array {
  const names = Array.from({ length: matrices }, (_, at) => `w${at}`);
  const weights = names.map(
    (name, at): FileWeight => ({
      ...{ name, dtype: "float32", shape: [SIDE, SIDE] },
      external: { location: "model.onnx_data", offset: at * MATRIX_BYTES, length: MATRIX_BYTES },
    }),
  );
  const row: FileWeight = {
    ...{ name: "row", dtype: "int64", shape: [2] },
    content: new Uint8Array(BigInt64Array.of(1n, BigInt(SIDE)).buffer),
  };
  const chain = names.map(
    (name, at): FileNode => ({ op: "MatMul", inputs: [at === 0 ? "v" : `m${at - 1}`, name], outputs: [`m${at}`] }),
  );
  return encodeGraph({
    inputs: [{ name: "x", dtype: "float32", shape: [] }],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 1] }],
    weights: [row, ...weights],
    nodes: [
      { op: "Expand", inputs: ["x", "row"], outputs: ["v"] },
      ...chain,
      { op: "ReduceMean", inputs: [`m${matrices - 1}`], outputs: ["y"], attributes: { axes: [1], keepdims: 1 } },
    ],
  });
}

/** Numbers of either sign around 0.01: random bits as they are would be infinite now and then. */
async function writeWeights(path: string, matrices: number): Promise<void> {
  const words = new Uint32Array(MATRIX_BYTES / 4);
  await using file = await open(path, "w");
  for (let at = 0; at < matrices; at++) {
    randomFillSync(words);
    for (let word = 0; word < words.length; word++) words[word] = ((words[word] ?? 0) & 0x807fffff) | 0x3c000000;
    await file.writeFile(new Uint8Array(words.buffer));
  }
  await file.datasync();
}

const fileOf = (id: string, folder: string, matrices: number) => `id: ${id}
title: Random weights
description: ${matrices} random matrices, to measure what loading takes
category: test
licence: { id: Apache-2.0, commercial: true }
pipeline: onnx
source: { path: ${JSON.stringify(folder)} }
onnx:
  inputs: { x: { kind: tensor, tensor: x, shape: [] } }
  outputs: { y: { kind: tensor, tensor: y } }
memory: { weights: ${matrices * MATRIX_BYTES}, working: 100000000 }
price: { unit: request, amount: 0, currency: USD }
`;

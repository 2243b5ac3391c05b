// Puts a graph together operator by operator, with random weights in a file beside it.
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  encodeGraph,
  type FileAttribute,
  type FileNode,
  type FileValue,
  type FileWeight,
} from "../../src/engine/graph-file/graph-file.ts";
import { seededRandom } from "../support/seeded-random.ts";

type Random = { name: string; shape: number[]; scale: number; offset: number };

export type Builder = {
  /** Adds an operator; the name of its output. */
  op(op: string, inputs: string[], attributes?: Record<string, FileAttribute>): string;
  /** Several outputs. */
  ops(op: string, inputs: string[], count: number, attributes?: Record<string, FileAttribute>): string[];
  /** Even between -scale and scale, plus offset. */
  weight(shape: number[], scale: number, offset?: number): string;
  integers(values: number[]): string;
  floats(values: number[]): string;
  parameters(): number;
  /** Writes `model.onnx` and `model.onnx_data`. */
  write(folder: string, ports: { inputs: FileValue[]; outputs: FileValue[] }): Promise<void>;
};

/** Weights come from a block of so many random numbers, over and over. */
const BLOCK = 1 << 20;

export function createBuilder(): Builder {
  const nodes: FileNode[] = [];
  const random: Random[] = [];
  const constants: FileWeight[] = [];
  let names = 0;
  const constant = (dtype: "int64" | "float32", shape: number[], content: Uint8Array) => {
    const name = `c${names++}`;
    constants.push({ name, dtype, shape, content });
    return name;
  };
  const ops: Builder["ops"] = (op, inputs, count, attributes) => {
    const outputs = Array.from({ length: count }, () => `n${names++}`);
    nodes.push({ op, inputs, outputs, ...(attributes && { attributes }) });
    return outputs;
  };
  return {
    ops,
    op: (op, inputs, attributes) => ops(op, inputs, 1, attributes)[0] ?? "",
    weight(shape, scale, offset = 0) {
      const name = `w${names++}`;
      random.push({ name, shape, scale, offset });
      return name;
    },
    integers: (values) =>
      constant("int64", [values.length], new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer)),
    floats: (values) => constant("float32", [values.length], new Uint8Array(Float32Array.from(values).buffer)),
    parameters: () => random.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    async write(folder, { inputs, outputs }) {
      const weights = await writeWeights(join(folder, "model.onnx_data"), random);
      const graph = encodeGraph({ inputs, outputs, weights: [...constants, ...weights], nodes });
      await writeFile(join(folder, "model.onnx"), graph);
    },
  };
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, each) => product * each, 1);

async function writeWeights(path: string, random: readonly Random[]): Promise<FileWeight[]> {
  const dice = seededRandom(1);
  const block = Float32Array.from({ length: BLOCK }, () => 2 * dice() - 1);
  await using file = await open(path, "w");
  const written: FileWeight[] = [];
  let at = 0;
  for (const { name, shape, scale, offset } of random) {
    const size = sizeOf(shape);
    for (let done = 0; done < size; done += BLOCK) {
      const values = block.subarray(0, Math.min(BLOCK, size - done)).map((value) => value * scale + offset);
      await file.writeFile(new Uint8Array(values.buffer, 0, values.byteLength));
    }
    written.push({
      name,
      dtype: "float32",
      shape,
      external: { location: "model.onnx_data", offset: at, length: 4 * size },
    });
    at += 4 * size;
  }
  return written;
}

// What steers a diffusion model besides the latents: values for the further inputs of its graph.
import { ForecourtError } from "../../core/errors.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { sizeOf, tensorOf } from "../tensor/tensor.ts";

/** The value of one input for one row of the batch, without the batch's dimension. */
export type Row = { data: Float32Array; shape: readonly number[] };

/** By the name of the graph's input. */
export type Rows = Readonly<Record<string, Row>>;

/** A prompt as a model reads it. */
export type Condition = {
  rows: Rows;
  /** How often its encoder was used; prompts of one run must be alike in this. */
  readings: number;
  /** Tokens of the prompt that were not read. */
  dropped: number;
};

/** [rows, ...shape]; all rows have one shape. */
export function stackRows({ dtype }: Port, rows: readonly Row[]): Tensor {
  const shape = [rows.length, ...(rows[0]?.shape ?? [])];
  const all = new Float32Array(sizeOf(shape));
  const size = all.length / rows.length;
  for (const [at, { data }] of rows.entries()) all.set(data, at * size);
  return tensorOf(dtype, shape, all);
}

/** The same value for each of `count` rows; exports that leave the batch's dimension out take it once. */
export function sharedRow(port: Port, row: Row, count: number): Tensor {
  if (port.shape.length === row.shape.length) return tensorOf(port.dtype, row.shape, row.data);
  return stackRows(port, new Array<Row>(count).fill(row));
}

/** Throws `misconfigured` when a graph wants what the family does not give, or the other way round. */
export function checkNames(wanted: readonly string[], given: readonly string[]): void {
  const missing = wanted.find((name) => !given.includes(name));
  if (missing) throw new ForecourtError("misconfigured", `the denoiser wants "${missing}", unknown to its family`);
  const surplus = given.find((name) => !wanted.includes(name));
  if (surplus) throw new ForecourtError("misconfigured", `the denoiser has no input "${surplus}" as its family should`);
}

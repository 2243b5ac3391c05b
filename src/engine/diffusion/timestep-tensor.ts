// A timestep as a graph wants it.
import type { Port, Tensor } from "../../core/tensor.ts";
import { tensorOf } from "../tensor/tensor.ts";

/** Exports differ: a scalar, one number for all rows, or one for each row. Integer ports take whole timesteps only. */
export function timestepTensor({ dtype, shape }: Port, timestep: number, rows: number): Tensor {
  const value = dtype.startsWith("float") ? timestep : Math.trunc(timestep);
  const [length] = shape;
  if (length === undefined) return tensorOf(dtype, [], [value]);
  const count = typeof length === "number" ? length : length.includes("batch") ? rows : 1;
  return tensorOf(dtype, [count], new Array<number>(count).fill(value));
}

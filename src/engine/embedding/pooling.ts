// One vector of many: what stands for a text among its tokens' vectors, cut and brought to length 1.
import { unreachable } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";
import type { Pooling } from "./declaration.ts";

/** `hidden`: [rows, tokens, width]; of each row the first `lengths[row]` tokens count. As sentence-transformers' Pooling. */
export function poolRows(hidden: Tensor, lengths: readonly number[], pooling: Pooling): Float32Array[] {
  const values = toFloats(hidden);
  const [, tokens = 1, width = 1] = hidden.shape;
  return lengths.map((length, row) => {
    const tokenAt = (at: number) => {
      const from = (row * tokens + at) * width;
      return values.subarray(from, from + width);
    };
    switch (pooling) {
      case "cls":
        return tokenAt(0);
      case "last":
        return tokenAt(length - 1);
      case "mean":
        return meanOf(Array.from({ length }, (_, at) => tokenAt(at)));
      default:
        return unreachable(pooling);
    }
  });
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (const [i, value] of vector.entries()) sum[i] = (sum[i] ?? 0) + value;
  return Float32Array.from(sum, (value) => value / vectors.length);
}

/** [rows, width] as vectors. */
export function rowsOf(matrix: Tensor): Float32Array[] {
  const values = toFloats(matrix);
  const [rows = 1] = matrix.shape;
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/** Cut first, then brought to length 1, so that cut ones have it too. */
export function shapeVector(
  vector: Float32Array,
  { dimensions = vector.length, normalize }: { dimensions?: number | undefined; normalize: boolean },
): number[] {
  const kept = Array.from(vector.subarray(0, dimensions));
  const length = Math.sqrt(kept.reduce((sum, value) => sum + value * value, 0));
  // torch.nn.functional.normalize has this floor.
  return normalize ? kept.map((value) => value / Math.max(length, 1e-12)) : kept;
}

// Rows of a tensor: its first dimension, taken apart and put together.
import { invariant } from "../../core/errors.ts";
import type { Tensor, TensorData } from "../../core/tensor.ts";
import { sizeOf } from "./tensor.ts";

/** Those rows in that order, some perhaps twice; the tensor itself when they are all of it as it is. */
export function takeRows(tensor: Tensor, rows: readonly number[]): Tensor {
  const [count = 1, ...rest] = tensor.shape;
  if (rows.length === count && rows.every((row, at) => row === at)) return tensor;
  const size = sizeOf(rest);
  const data = newLike(tensor.data, rows.length * size);
  for (const [at, row] of rows.entries()) copyInto(data, tensor.data.subarray(row * size, (row + 1) * size), at * size);
  return { ...tensor, shape: [rows.length, ...rest], data };
}

/** The only row as many times. */
export const repeatRow = (tensor: Tensor, times: number): Tensor => takeRows(tensor, new Array<number>(times).fill(0));

/** Tensors of one kind, one behind the other along their second dimension: [1, a, w] and [1, b, w] to [1, a + b, w]. */
export function joinAlong(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  invariant(first && first.shape[0] === 1, "there is something to join, of one row each");
  const lengths = tensors.map(({ shape }) => shape[1] ?? 0);
  const [, , ...rest] = first.shape;
  const data = newLike(first.data, sizeOf(rest) * lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const tensor of tensors) {
    copyInto(data, tensor.data, at);
    at += tensor.data.length;
  }
  return { dtype: first.dtype, shape: [1, lengths.reduce((sum, length) => sum + length, 0), ...rest], data };
}

/** Both are of one kind: tensors of one dtype have data of one class. */
function copyInto(into: TensorData, from: TensorData, at: number): void {
  if (into instanceof BigInt64Array || from instanceof BigInt64Array) {
    invariant(into instanceof BigInt64Array && from instanceof BigInt64Array, "tensors of one dtype");
    into.set(from, at);
  } else into.set(from, at);
}

function newLike(data: TensorData, length: number): TensorData {
  const make = data.constructor as new (length: number) => TensorData; // a typed array's class takes a length
  return new make(length);
}

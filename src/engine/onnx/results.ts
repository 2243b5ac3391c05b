// Reads what a graph gave.
import { invariant } from "../../core/errors.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import type { Tensors } from "./kinds.ts";

/** Of the only step, or the first. */
export function resultOf([first]: readonly Tensors[], { name }: Port): Tensor {
  const tensor = first?.[name];
  invariant(tensor, `a run of the graph gives its output ${name}`);
  return tensor;
}

/** Of every step. */
export const resultsOf = (results: readonly Tensors[], port: Port): Tensor[] =>
  results.map((each) => resultOf([each], port));

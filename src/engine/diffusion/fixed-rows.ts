// Graphs that were exported for a fixed number of rows, run for any number.
import { invariant } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { tensorOf } from "../tensor/tensor.ts";

/**
 * The graph itself where the first dimension of its input `name` is open. Else it is run for so many rows at a time, as
 * often as needed, the last time filled up with the last row. Tensors of other lengths than all rows are handed on whole.
 */
export function inFixedRows(graph: Graph, name: string): Graph {
  const fixed = graph.inputs.find((port) => port.name === name)?.shape[0];
  if (typeof fixed !== "number") return graph;
  return {
    ...graph,
    async run(inputs) {
      const rows = inputs[name]?.shape[0] ?? fixed;
      if (rows === fixed) return await graph.run(inputs);
      const parts: Record<string, Tensor>[] = [];
      for (let from = 0; from < rows; from += fixed) {
        const some = Object.entries(inputs).map(([each, tensor]) => [
          each,
          someRows(tensor, { rows, from, count: fixed }),
        ]);
        parts.push(await graph.run(Object.fromEntries(some)));
      }
      return Object.fromEntries(graph.outputs.map(({ name: output }) => [output, joined(parts, output, rows)]));
    },
  };
}

type Some = { rows: number; from: number; count: number };

function someRows({ dtype, shape, data }: Tensor, { rows, from, count }: Some): Tensor {
  const [length, ...rest] = shape;
  if (length !== rows) return { dtype, shape, data };
  const some = tensorOf(dtype, [count, ...rest], new Float32Array((data.length / rows) * count));
  const size = data.byteLength / rows;
  for (let row = 0; row < count; row++) {
    const start = Math.min(from + row, rows - 1) * size;
    bytesOf(some.data).set(bytesOf(data).subarray(start, start + size), row * size);
  }
  return some;
}

function joined(parts: readonly Record<string, Tensor>[], name: string, rows: number): Tensor {
  const [first, ...others] = parts.flatMap((part) => part[name] ?? []);
  invariant(first, "a graph gives each of its outputs");
  const [count = 1, ...rest] = first.shape;
  const all = tensorOf(first.dtype, [rows, ...rest], new Float32Array((first.data.length / count) * rows));
  let at = 0;
  for (const { data } of [first, ...others]) {
    const left = bytesOf(all.data).subarray(at);
    left.set(bytesOf(data).subarray(0, left.length));
    at += data.byteLength;
  }
  return all;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Tensor["data"]) => new Uint8Array(buffer, byteOffset, byteLength);

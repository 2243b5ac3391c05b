// Rows of token ids as what a graph of an encoder, or of a decoder that embeds, is fed.
import type { Graph } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { sizeOf, tensorOf } from "../tensor/tensor.ts";
import type { EncodedText } from "../text/encoder-tokenizer.ts";

type Filling = {
  padding: number;
  /** Length of every row; absent: the longest one's. */
  length?: number;
};

/** Filled up on the right: the places of the tokens are the same in a batch as alone. Inputs of other names are left out. */
export function feedsOfRows(
  { inputs }: Pick<Graph, "inputs">,
  rows: readonly EncodedText[],
  { padding, length = Math.max(...rows.map(({ ids }) => ids.length)) }: Filling,
): Record<string, Tensor> {
  const fill = (port: Port, value: (row: EncodedText, at: number) => number) =>
    tensorOf(
      port.dtype,
      [rows.length, length],
      rows.flatMap((row) => Array.from({ length }, (_, at) => value(row, at))),
    );
  const makers: Record<string, (port: Port) => Tensor> = {
    input_ids: (port) => fill(port, ({ ids }, at) => ids[at] ?? padding),
    attention_mask: (port) => fill(port, ({ ids }, at) => (at < ids.length ? 1 : 0)),
    token_type_ids: (port) => fill(port, ({ types }, at) => types[at] ?? 0),
    position_ids: (port) => fill(port, (_, at) => at),
    use_cache_branch: ({ dtype }) => tensorOf(dtype, [1], [0]),
  };
  return Object.fromEntries(
    inputs.flatMap((port) => {
      const make = port.name.startsWith("past_key_values.")
        ? (each: Port) => nothingPast(each, rows.length)
        : makers[port.name];
      return make ? [[port.name, make(port)]] : [];
    }),
  );
}

/** A decoder's cache before its first token: [rows, heads, 0, width]. */
function nothingPast({ dtype, shape }: Port, rows: number): Tensor {
  const known = shape.map((each, axis) => (axis === 0 ? rows : typeof each === "number" && each > 0 ? each : 0));
  return tensorOf(dtype, known, new Array<number>(sizeOf(known)).fill(0));
}

// A list of numbers that stands for the meaning of a text, picture or sound.
import { choice, Type } from "../../../core/schema.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { toFloats } from "../../tensor/tensor.ts";
import { declare, defineOutput, tensorName } from "../kinds.ts";
import { outputPort } from "../ports.ts";
import { resultOf } from "../results.ts";

const declared = declare("embedding", {
  tensor: tensorName,
  pool: choice(["none", "mean", "first"], {
    default: "none",
    description: "Where the graph gives one list for each token: their mean, or the first",
  }),
  normalise: Type.Boolean({ default: true, description: "Brought to length 1, so that a dot product is a cosine" }),
});

export const embedding = defineOutput({
  declared,
  fields: (name, { normalise }) => ({
    [name]: Type.Array(Type.Number(), { description: `The embedding${normalise ? ", of length 1" : ""}.` }),
  }),
  async open(declaration, { name, graph }) {
    const port = outputPort(graph, { name: declaration.tensor, for: name });
    return async ({ results, tokens }) => {
      const pooled = pool(resultOf(results, port), declaration.pool, tokens);
      return { [name]: Array.from(declaration.normalise ? unit(pooled) : pooled) };
    };
  },
});

/** `tokens` says which rows count; absent: all. */
function pool(tensor: Tensor, how: "none" | "mean" | "first", tokens?: readonly number[]): Float32Array {
  const values = toFloats(tensor);
  if (how === "none") return values;
  const width = tensor.shape.at(-1) ?? 1;
  if (how === "first") return values.slice(0, width);
  const sum = new Float32Array(width);
  let count = 0;
  for (let row = 0; row < values.length / width; row++) {
    if (tokens?.[row] === 0) continue;
    count++;
    for (let i = 0; i < width; i++) sum[i] = (sum[i] ?? 0) + (values[row * width + i] ?? 0);
  }
  return sum.map((value) => value / Math.max(1, count));
}

function unit(values: Float32Array): Float32Array {
  const length = Math.hypot(...values);
  return length > 0 ? values.map((value) => value / length) : values;
}

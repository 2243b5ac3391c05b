// Puts the embeddings of several text encoders together, as models with more than one are shown them.
import type { Row } from "./condition.ts";
import type { PromptEmbedding } from "./prompt-encoder.ts";

/** [tokens, width] as a row. */
export const rowOf = ({ data, tokens, width }: PromptEmbedding): Row => ({ data, shape: [tokens, width] });

/** Of each token the values of all embeddings, one after the other, then zeros up to `width`. */
export function sideBySide(embeddings: readonly PromptEmbedding[], width = widthOf(embeddings)): Row {
  const tokens = embeddings[0]?.tokens ?? 0;
  const data = new Float32Array(tokens * width);
  let column = 0;
  for (const each of embeddings) {
    for (let token = 0; token < tokens; token++) {
      const from = token * each.width;
      data.set(each.data.subarray(from, from + each.width), token * width + column);
    }
    column += each.width;
  }
  return { data, shape: [tokens, width] };
}

const widthOf = (embeddings: readonly PromptEmbedding[]) => embeddings.reduce((sum, { width }) => sum + width, 0);

/** The tokens of one after those of the other; both of the same width, or plain vectors. */
export function endToEnd(first: Row, second: Row): Row {
  const data = new Float32Array(first.data.length + second.data.length);
  data.set(first.data);
  data.set(second.data, first.data.length);
  const [length = 0, ...rest] = first.shape;
  return { data, shape: [length + (second.shape[0] ?? 0), ...rest] };
}

export const zerosLike = ({ data, shape }: Row): Row => ({ data: new Float32Array(data.length), shape });

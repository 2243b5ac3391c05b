// Ids of a text's tokens, by the model's own tokenizer.
import type { TransformersObject } from "../../core/transformers.ts";

/** With what the tokenizer puts around a text. */
export const tokenIds = async (tokenizer: TransformersObject, text: string): Promise<number[]> =>
  (await tokenizer.call("encode", text)) as number[];

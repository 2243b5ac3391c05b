// Texts that are longer than a model reads: refused with both numbers, or cut where the caller wants it, and told.
import { ForecourtError } from "../../core/errors.ts";
import type { EncodedText, EncoderTokenizer, Texts } from "../text/encoder-tokenizer.ts";

type Limits = {
  /** Ids that the model reads, marks included. */
  most: number;
  truncate: boolean;
  /** Of the text in the request. */
  loc: (string | number)[];
  log(message: string): void;
};

/** Throws `invalid_input`. */
export function fitting(tokenizer: EncoderTokenizer, texts: Texts, { most, truncate, loc, log }: Limits): EncodedText {
  const { ids, types, length } = tokenizer.encode(texts, truncate ? most : undefined);
  const where = loc.slice(1).join(".");
  if (length <= most) return { ids, types };
  if (truncate) {
    log(`${where} is too long: ${length - most} of ${length} tokens are not read`);
    return { ids, types };
  }
  // Clients know it by OpenAI's first words.
  const msg = `This model's maximum context length is ${most} tokens, and the input has ${length} (truncate: true cuts what is longer)`;
  throw new ForecourtError("invalid_input", `${where}: ${msg}`, {
    problems: [{ loc, msg, type: "sequence_too_long", ctx: { max_length: most, length } }],
    details: { reason: "context_length_exceeded", length, most },
  });
}

// Letters and digits that a model never learned are named: left out, they would be missed.
import type { ForecourtError } from "../../core/errors.ts";
import type { TransformersObject } from "../../core/transformers.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { tokenIds } from "./token-ids.ts";

export type Knows = (letter: string) => Promise<boolean>;

export const SAID = /[\p{L}\p{N}]/u;

/** No tokenizer knows it. */
const NO_LETTER = "\u{10FFFF}";

/** By what the tokenizer makes of a letter: the same as of none. */
export function knownBy(tokenizer: TransformersObject): Knows {
  const idsOf = async (letter: string) => (await tokenIds(tokenizer, letter)).join();
  return async (letter) => (await idsOf(letter)) !== (await idsOf(NO_LETTER));
}

/** Throws `invalid_input`. */
export async function expectReadable(text: string, knows: Knows): Promise<void> {
  const missed: string[] = [];
  for (const letter of new Set(text)) if (SAID.test(letter) && !(await knows(letter))) missed.push(letter);
  if (missed.length > 0) throw unreadable(missed);
}

const MOST_NAMED = 10;

export function unreadable(letters: readonly string[]): ForecourtError {
  const named = letters.slice(0, MOST_NAMED).join(" ");
  const more = letters.length > MOST_NAMED ? " ..." : "";
  return wrongField("text", `The model cannot read these letters: ${named}${more}. Write numbers and signs in words`);
}

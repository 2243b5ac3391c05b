// Texts for tokenizers that read what they have no token for as an unknown one: a model says anything at that.
import type { TransformersObject } from "../../core/transformers.ts";
import { SAID, unreadable } from "./readable.ts";
import { tokenIds } from "./token-ids.ts";

/** What no tokenizer has a token for: byte by byte they differ. */
const NEVER_LEARNED = ["\u{10FFFF}", "\u{10FFFE}"] as const;

export type Legible = {
  /** Throws `invalid_input` for letters and digits without a token; signs without one are logged. */
  expect(text: string, log: (message: string) => void): Promise<void>;
  /** Without signs that have no token. */
  legible(text: string): Promise<string>;
};

/** `form`: what becomes of a text before its tokens are looked up. */
export async function createLegible(tokenizer: TransformersObject, form: (text: string) => string): Promise<Legible> {
  const around = new Set(await tokenIds(tokenizer, ""));
  const [one, other] = await Promise.all(NEVER_LEARNED.map((sign) => tokenIds(tokenizer, sign)));
  const unknown = one?.find((id) => !around.has(id));
  const canMiss = unknown !== undefined && one?.join() === other?.join();
  const missedIn = async (text: string) =>
    (await tokenIds(tokenizer, form(text))).filter((id) => id === unknown).length;

  async function unknownIn(text: string): Promise<string[]> {
    if (!canMiss || (await missedIn(text)) === 0) return [];
    const signs = [...new Set(text)].filter((sign) => !/\s/.test(sign));
    const missed = await Promise.all(signs.map(missedIn));
    return signs.filter((_, at) => missed[at] !== 0);
  }

  /** Some signs have no token of their own and are part of a longer one: `[laugh]`. */
  async function withoutSigns(text: string): Promise<{ left: string; signs: string[] }> {
    let left = text;
    const signs: string[] = [];
    for (const sign of await unknownIn(text)) {
      const shorter = left.replaceAll(sign, "");
      if (SAID.test(sign) || (await missedIn(shorter)) > (await missedIn(left))) continue;
      left = shorter;
      signs.push(sign);
    }
    return { left, signs };
  }

  return {
    async expect(text, log) {
      const letters = (await unknownIn(text)).filter((sign) => SAID.test(sign));
      if (letters.length > 0) throw unreadable(letters);
      const { signs } = await withoutSigns(text);
      if (signs.length > 0) log(`the model does not know these signs, which are left out: ${signs.join(" ")}`);
    },
    legible: async (text) => (await withoutSigns(text)).left,
  };
}

// The sounds that Kokoro learned, from espeak-ng's IPA: as misaki, its own reader, writes them.
import { piecesOf } from "./spoken-text.ts";

/** What misaki's EspeakFallback makes of English, longer ones first (`^` ties the halves of one sound). */
const ENGLISH: readonly (readonly [string, string])[] = [
  // Its own table turns the e and the tie of these two into other sounds first, against its list of British vowels.
  ["e^ə", "ɛː"],
  ["i^ə", "ɪə"],
  ["ʔˌn\u0329", "ʔn"],
  ["ʔn\u0329", "ʔn"],
  ["a^ɪ", "I"],
  ["a^ʊ", "W"],
  ["d^ʒ", "ʤ"],
  ["e^ɪ", "A"],
  ["t^ʃ", "ʧ"],
  ["ɔ^ɪ", "Y"],
  ["ə^l", "ᵊl"],
  ["ʲo", "jo"],
  ["ʲə", "jə"],
  ["ʲ", ""],
  ["e", "A"],
  ["ɚ", "əɹ"],
  ["r", "ɹ"],
  ["x", "k"],
  ["ç", "k"],
  ["ɐ", "ə"],
  ["ɬ", "l"],
  ["\u0303", ""],
];
const BRITISH: readonly (readonly [string, string])[] = [["ə^ʊ", "Q"]];
const AMERICAN: readonly (readonly [string, string])[] = [
  ["o^ʊ", "O"],
  ["ɜːɹ", "ɜɹ"],
  ["ɜː", "ɜɹ"],
  ["ɪə", "iə"],
  ["ː", ""],
];
const ENGLISH_ENDING: readonly (readonly [string, string])[] = [
  // Before espeak-ng 1.52.
  ["o", "ɔ"],
  ["ɾ", "T"],
  ["ʔ", "t"],
];

/** Its EspeakG2P, for all other languages. */
const OTHERS: readonly (readonly [string, string])[] = [
  ["a^ɪ", "I"],
  ["a^ʊ", "W"],
  ["d^z", "ʣ"],
  ["d^ʒ", "ʤ"],
  ["e^ɪ", "A"],
  ["o^ʊ", "O"],
  ["s^s", "S"],
  ["t^s", "ʦ"],
  ["t^ʃ", "ʧ"],
  ["ɔ^ɪ", "Y"],
  ["ə^ʊ", "Q"],
  ["-", ""],
];

/** espeak-ng's voices by the first letter of Kokoro's; Japanese (j) and Mandarin (z) have readers of their own, not here. */
export const KOKORO_LANGUAGES: Readonly<Record<string, string>> = {
  a: "en-us",
  b: "en-gb",
  e: "es",
  f: "fr-fr",
  h: "hi",
  i: "it",
  p: "pt-br",
};

export type FindPhonemes = (texts: readonly string[], language: string) => Promise<string[]>;

/** Marks and the spaces around them stay as they are in the text. `language`: one of espeak-ng's voices. */
export async function kokoroPhonemes(text: string, language: string, find: FindPhonemes): Promise<string> {
  const pieces = piecesOf(text);
  const isText = (piece: string, at: number) => at % 2 === 0 && piece !== "";
  const found = await find(pieces.filter(isText), language);
  let next = 0;
  return pieces
    .map((piece, at) => (isText(piece, at) ? soundsOf(found[next++] ?? "", language) : piece))
    .join("")
    .trim();
}

function soundsOf(ipa: string, language: string): string {
  const plain = ipa.replace(/\([a-z^-]+\)/g, ""); // where it goes over to another language for a word
  if (!language.startsWith("en")) return changed(plain, OTHERS).replaceAll("^", "");
  const own = changed(plain, ENGLISH)
    .replace(/(\S)\u0329/g, "ᵊ$1")
    .replaceAll("\u0329", "");
  const dialect = changed(own, language === "en-gb" ? BRITISH : AMERICAN);
  return changed(dialect, ENGLISH_ENDING).replaceAll("^", "");
}

const changed = (text: string, table: readonly (readonly [string, string])[]) =>
  table.reduce((made, [from, to]) => made.replaceAll(from, to), text);

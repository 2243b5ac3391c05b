// What Supertonic reads of a text: letters, without phonemes; cleaned as Supertone's package does it (supertonic 1.3.1 for
// Python, core.py), with a tag for the language.
import { type Knows, SAID, unreadable } from "./readable.ts";

/** Of a text in NFKD, which has spelt out what looks alike (`…` is `...`, and letters stand before their accents). */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/[\u{1F1E6}-\u{1F1FF}\u{1F300}-\u{1F64F}\u{1F680}-\u{1FAFF}\u2600-\u27BF©\\]/gu, ""],
  [/[‐–—]/g, "-"],
  [/[“”]/g, '"'],
  [/[‘’`]/g, "'"],
  [/[[\]|/#_→←]/g, " "],
  [/@/g, " at "],
  [/e\.g\.,/g, "for example, "],
  [/i\.e\.,/g, "that is, "],
];
const SPACING: readonly (readonly [RegExp, string])[] = [
  [/ ([,.!?;:'])/g, "$1"],
  [/(["'])\1+/g, "$1"],
  [/\s+/g, " "],
];
const ENDED = /[.!?;:,'")\]}…。」』】〉》›»]$/;

/**
 * The cleaned text without the signs that the model never learned, as it is without emojis; empty where nothing of it can
 * be said. Throws `invalid_input` naming letters and digits that it never learned: those would be missed.
 */
export async function readableText(text: string, knows: Knows): Promise<string> {
  const spelt = changed(text.normalize("NFKD"), SIGNS);
  const unknown = new Set<string>();
  for (const letter of new Set(spelt.replace(/\s/g, ""))) if (!(await knows(letter))) unknown.add(letter);
  const missed = [...unknown].filter((letter) => SAID.test(letter));
  if (missed.length > 0) throw unreadable(missed);
  const known = Array.from(spelt, (letter) => (unknown.has(letter) ? "" : letter)).join("");
  const cleaned = changed(known, SPACING).trim();
  if (!SAID.test(cleaned)) return "";
  return ENDED.test(cleaned) ? cleaned : `${cleaned}.`;
}

const changed = (text: string, changes: readonly (readonly [RegExp, string])[]) =>
  changes.reduce((made, [from, to]) => made.replace(from, to), text);

/** The first one where the caller names none. */
export type Languages = { codes: readonly string[]; areTagged: boolean };

const SUPERTONIC_2 = ["en", "ko", "es", "pt", "fr"];
/** With `na` for text of any other language. */
const SUPERTONIC_3 = [
  ...["na", "en", "ko", "ja", "ar", "bg", "cs", "da", "de", "el", "es", "et", "fi", "fr", "hi", "hr", "hu", "id", "it"],
  ...["lt", "lv", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "vi"],
];

/**
 * No file of a repository lists them, but the letters tell the releases apart: the first one knows English alone, the
 * second one Korean's too (Hangul in NFKD), the third one those of thirty-one languages.
 */
export async function languagesOf(knows: Knows): Promise<Languages> {
  if (!(await knows("\u1100"))) return { codes: ["en"], areTagged: false };
  return { codes: (await knows("ж")) ? SUPERTONIC_3 : SUPERTONIC_2, areTagged: true };
}

export const taggedText = (text: string, language: string, { areTagged }: Languages) =>
  areTagged ? `<${language}>${text}</${language}>` : text;

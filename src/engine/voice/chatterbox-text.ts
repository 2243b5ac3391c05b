// Texts as Chatterbox learned to read them: tidy marks, and for the model of many languages small letters and a mark of the
// language. Source: punc_norm and MTLTokenizer of resemble-ai/chatterbox.
import { wrongField } from "../../core/wrong-field.ts";
import { languageCode, languageName } from "../speech/languages.ts";

/** In this order. */
const MARKS: readonly (readonly [from: string, to: string])[] = [
  ["...", ", "],
  ["…", ", "],
  [":", ","],
  [" - ", ", "],
  [";", ", "],
  ["—", "-"],
  ["–", "-"],
  [" ,", ","],
  ["“", '"'],
  ["”", '"'],
  ["‘", "'"],
  ["’", "'"],
];

/** Turbo reads these as they are. */
const READ_BY_TURBO = new Set(["...", " - ", ";"]);

/** Not of more than one sign. */
const ENDS = /[.!?,、，。？！-]$/u;

/** `text` is not empty. */
export function tidyText(text: string, { isTurbo }: { isTurbo: boolean }): string {
  const words = text.split(/\s+/).filter((word) => word !== "");
  let tidy = words.join(" ");
  if (/^\p{Ll}/u.test(tidy)) tidy = tidy.charAt(0).toUpperCase() + tidy.slice(1);
  for (const [from, to] of MARKS) if (!isTurbo || !READ_BY_TURBO.has(from)) tidy = tidy.replaceAll(from, to);
  tidy = tidy.replace(/ +$/, "");
  return ENDS.test(tidy) ? tidy : `${tidy}.`;
}

/** Codes that the model of many languages knows. */
const LANGUAGES = [
  ...["ar", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "it", "ja", "ko", "ms", "nl", "no", "pl", "pt", "ru"],
  ...["sv", "sw", "tr", "zh"],
];

type Words = { model?: { vocab?: Record<string, number> | unknown[] }; added_tokens?: { content: string }[] };

/** By tokenizer.json: those that it has marks for; English alone where there are none. */
export function languagesOf({ model, added_tokens: added = [] }: Words): readonly string[] {
  const vocab = model?.vocab;
  const marks = new Set(added.map(({ content }) => content));
  const isMark = (mark: string) => marks.has(mark) || (!Array.isArray(vocab) && vocab?.[mark] !== undefined);
  const known = LANGUAGES.filter((code) => isMark(`[${code}]`));
  return known.length > 0 ? known : ["en"];
}

/** `wanted`: a code or an English name; absent: English. Throws `invalid_input` for a language that the model does not know. */
export function textIn(text: string, wanted: string | undefined, known: readonly string[]): string {
  const code = languageCode(wanted ?? "en");
  if (!known.includes(code)) {
    const names = known.map((each) => `${each} (${languageName(each)})`).join(", ");
    throw wrongField("language", `The model does not speak "${wanted}"; it speaks ${names}`);
  }
  return known.length === 1 ? text : `[${code}]${spelt(text)}`;
}

/**
 * As the model of many languages reads letters. Throws `invalid_input` for Chinese characters: its readers of them, for
 * Chinese and Japanese, are programs in Python.
 */
export function spelt(text: string): string {
  if (/\p{Script=Han}/u.test(text))
    throw wrongField("text", "Chinese characters are not read here: write Japanese in kana; Chinese is not spoken");
  return text.toLowerCase().normalize("NFKD");
}

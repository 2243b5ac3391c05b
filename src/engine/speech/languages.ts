// Languages by code and by English name, as Whisper's users write them.
const NAMES = new Intl.DisplayNames("en", { type: "language" });

/** Names of Whisper's that the Unicode tables call otherwise, and its aliases (openai/whisper, tokenizer.py). */
const OTHER_NAMES: Record<string, string> = {
  mandarin: "zh",
  cantonese: "yue",
  castilian: "es",
  valencian: "ca",
  flemish: "nl",
  moldavian: "ro",
  moldovan: "ro",
  pushto: "ps",
  panjabi: "pa",
  sinhalese: "si",
  letzeburgesch: "lb",
  haitian: "ht",
  "haitian creole": "ht",
  burmese: "my",
  myanmar: "my",
  norwegian: "no",
  nynorsk: "nn",
  hawaiian: "haw",
  javanese: "jw",
  tagalog: "tl",
  bengali: "bn",
};

/** "German", "german", "de", "de-AT" -> "de"; what is no language stays as it is. */
export function languageCode(wanted: string): string {
  const plain = wanted.trim().toLowerCase();
  const listed = OTHER_NAMES[plain] ?? codes().get(plain);
  return listed ?? plain.replace(/[-_].*$/, "");
}

/** In English and lower case, as Whisper's rules for words name it. */
export const languageName = (code: string): string => (NAMES.of(code) ?? code).toLowerCase();

let known: Map<string, string> | undefined;
/** English names of all two-letter codes. */
function codes(): Map<string, string> {
  if (known) return known;
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const pairs = [...letters].flatMap((a) => [...letters].map((b) => `${a}${b}`));
  known = new Map(pairs.map((code) => [languageName(code), code]));
  return known;
}

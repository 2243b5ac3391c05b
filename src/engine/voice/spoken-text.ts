// Text as espeak-ng reads it best: amounts, years and abbreviations of English in words, everything between marks by itself.

/** A mark between digits is part of the number. */
const MARKS = /((?:\s*(?:[;!?¡¿—…"“”()[\]{}]|(?<!\d)[.,:]|[.,:](?!\d))\s*)+)/;

/** Texts at even places, the marks between them, with the spaces around these, at odd ones. */
export const piecesOf = (text: string): string[] =>
  text
    .replace(/[«»„]/g, (mark) => (mark === "»" ? "”" : "“"))
    .replace(/[‘’]/g, "'")
    .replace(/[।。]/g, ".")
    .replace(/\s+/g, " ")
    .trim()
    .split(MARKS);

const CURRENCIES: Record<string, string> = { $: "dollars", "£": "pounds", "€": "euros" };

/** "$5" is "five dollars", 1984 "nineteen eighty-four", and "Dr." no end of a sentence. */
export const englishText = (text: string): string =>
  text
    .replace(/([$£€])(\d[\d,]*(?:\.\d+)?)(?!\d)/g, (_, sign: string, amount: string) => `${amount} ${CURRENCIES[sign]}`)
    .replace(/\b(1[1-9]|20)([1-9]\d)\b(?![.,]\d)/g, "$1 $2")
    .replace(/\b(Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc)\.(?=\s+\S)/g, "$1");

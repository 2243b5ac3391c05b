// The fewest tokens that a text can have, told without turning it into tokens: of what is far longer than a model reads that
// would take minutes of the thread on which all answers are made.
import { flatten, type Part } from "./rust-parity.ts";

type Vocabulary = {
  size: number;
  token(id: number): { bytes: Uint8Array };
};
export type AddedToken = { content: string; lstrip?: boolean; rstrip?: boolean };
/** What of a tokenizer's description says how texts are spelled. */
export type Spelled = {
  normalizer?: Part | null;
  pre_tokenizer?: Part | null;
  model?: { byte_fallback?: boolean };
  added_tokens?: AddedToken[];
};

/** True only for a text that has at least `count` tokens. */
export type HasAtLeast = (text: string, count: number) => boolean;

/**
 * Whatever the tokens of a text are, their bytes in a row are the text's own: where each byte has a token nothing is left
 * out. So no token that begins at a place reaches further than the longest of those that begin with the same bytes, and so
 * many tokens reach no further than such steps, each from the best place that was reached. Where this does not hold, nothing
 * is said to be long.
 */
export function createHasAtLeast(vocabulary: Vocabulary, description: Spelled): HasAtLeast {
  const asWritten = writingOf(description);
  let longest: Uint16Array | undefined | null;
  return (text, count) => {
    if (!asWritten) return false;
    longest ??= longestByBeginning(vocabulary) ?? null;
    return longest !== null && isFurther(utf8.encode(asWritten(text)), count, longest);
  };
}

const utf8 = new TextEncoder();

/** Of a token's bytes so many tell how long it may be. */
const BEGINNING = 4;
/** Beginnings that fall together make a step longer, never shorter. */
const TABLE_BITS = 20;

function placeOf(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return Math.imul((a << 24) | (b << 16) | (c << 8) | d, 0x9e3779b1) >>> (32 - TABLE_BITS);
}

/** Undefined where a byte has no token of its own. */
function longestByBeginning({ size, token }: Vocabulary): Uint16Array | undefined {
  const table = new Uint16Array(2 ** TABLE_BITS);
  const lone = new Set<number>();
  const note = (bytes: Uint8Array) => {
    if (bytes.length < BEGINNING) return;
    const place = placeOf(bytes, 0);
    table[place] = Math.max(table[place] ?? 0, bytes.length);
  };
  for (let id = 0; id < size; id++) {
    const { bytes } = token(id);
    if (bytes.length === 1) lone.add(bytes[0] ?? 0);
    note(bytes);
    // The first word of a text is written as if there were a space before it.
    if (bytes[0] === SPACE) note(bytes.subarray(1));
  }
  return lone.size === 256 ? table : undefined;
}

const SPACE = 0x20;

function isFurther(bytes: Uint8Array, count: number, longest: Uint16Array): boolean {
  // So many tokens reach `end`; one more reaches `far`.
  let [tokens, end, far] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at++) {
    const step = longest[placeOf(bytes, at)] ?? 0;
    far = Math.max(far, at + Math.max(step, BEGINNING - 1));
    if (at < end) continue;
    if (++tokens === count) return true;
    end = far;
  }
  return false;
}

/** The text as the vocabulary spells it, seen from the bytes of its tokens; undefined where more of it may be changed. */
function writingOf(description: Spelled): ((text: string) => string) | undefined {
  const { normalizer, pre_tokenizer, model, added_tokens: added = [] } = description;
  const steps = flatten(normalizer);
  const splits = flatten(pre_tokenizer);
  const isWhole = splits.every(({ behavior, type }) => behavior !== "Removed" && KEEPING.includes(type ?? ""));
  const hasAllBytes = model?.byte_fallback === true || splits.some(({ type }) => type === "ByteLevel");
  if (!isWhole || !hasAllBytes) return undefined;
  const isSpelling = ({ type, pattern }: Part) => type === "Prepend" || (type === "Replace" && isSpace(pattern));
  if (!steps.every((step) => step.type === "NFC" || isSpelling(step))) return undefined;
  const names = oneOf(added.map(({ content }) => content));
  const before = oneOf(added.flatMap(({ content, lstrip }) => (lstrip ? [content] : [])));
  const after = oneOf(added.flatMap(({ content, rstrip }) => (rstrip ? [content] : [])));
  const composed = (text: string) =>
    text.normalize("NFC") === text
      ? text
      : text
          .split(new RegExp(`(${names})`, "u"))
          .map(nfc)
          .join("");
  return (text) => {
    const left = before === "" ? text : text.replace(new RegExp(`${BLANKS}(${before})`, "gu"), "$1");
    const right = after === "" ? left : left.replace(new RegExp(`(${after})${BLANKS}`, "gu"), "$1");
    return steps.some(({ type }) => type === "NFC") ? composed(right) : right;
  };
}

/** Ways to split a text into words that leave nothing out. */
const KEEPING: readonly string[] = ["ByteLevel", "Digits", "Metaspace", "Split"];
const BLANKS = "[\\s\\u0085]+";
const nfc = (text: string) => text.normalize("NFC");
const isSpace = (pattern: unknown) => (pattern as { String?: unknown } | undefined)?.String === " ";
const oneOf = (names: readonly string[]) =>
  [...names]
    .filter((name) => name !== "")
    .sort((a, b) => b.length - a.length)
    .map(RegExp.escape)
    .join("|");

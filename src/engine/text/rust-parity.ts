// Rewrites a tokenizer's description so that the JavaScript library splits and lowercases as the Rust one does.
// What stays different: characters that Unicode gained after the Rust library's tables were made.

import { readCharsMap } from "./precompiled-map.ts";

/** One step of a normalizer or pre-tokenizer in tokenizer.json. */
export type Part = { type?: string; normalizers?: Part[]; pretokenizers?: Part[] } & Record<string, unknown>;
type Description = { normalizer?: Part | null; pre_tokenizer?: Part | null };

export function asInRust<D extends object>(description: D & Description): D {
  const normalizers = flatten(description.normalizer).flatMap(mendLowercase);
  const pretokenizers = flatten(description.pre_tokenizer);
  return {
    ...description,
    normalizer: sequence("normalizers", [...normalizers, ...(ignoresSpace(pretokenizers) ? [LEADING_SPACE] : [])]),
    pre_tokenizer: sequence("pretokenizers", pretokenizers.flatMap(mendByteLevel)),
  };
}

/** asInRust made a sequence of the normalizer; its steps are no part of the library's types. */
type Steps = { normalizers?: { config: Part; normalize(text: string): string }[] };

/** The library takes every table of sentencepiece for NFKC, which most are nearly. */
export function mendSteps<Library extends { normalizer: unknown }>(library: Library): Library {
  for (const step of (library.normalizer as Steps | null)?.normalizers ?? []) {
    const { type, precompiled_charsmap: map } = step.config;
    if (type === "Precompiled" && typeof map === "string") step.normalize = readCharsMap(map);
  }
  return library;
}

export function flatten(part: Part | null | undefined): Part[] {
  if (!part) return [];
  return part.type === "Sequence" ? (part.normalizers ?? part.pretokenizers ?? []).flatMap(flatten) : [part];
}

const sequence = (name: "normalizers" | "pretokenizers", parts: Part[]): Part | null =>
  parts.length > 0 ? { type: "Sequence", [name]: parts } : null;

/**
 * Rust lowercases character by character; toLowerCase makes a capital sigma at a word's end a ς. Replaced beforehand
 * it becomes σ everywhere.
 */
const mendLowercase = (part: Part): Part[] =>
  part.type === "Lowercase" ? [{ type: "Replace", pattern: { String: "Σ" }, content: "σ" }, part] : [part];

/**
 * The library's own byte-level expression takes U+FEFF for white space, as JavaScript does, and U+0085 not; the same
 * expression given to Split is translated to Unicode's White_Space.
 */
function mendByteLevel(part: Part): Part[] {
  if (part.type !== "ByteLevel" || part.use_regex === false || part.add_prefix_space === true) return [part];
  return [
    { type: "Split", pattern: { Regex: BYTE_LEVEL }, behavior: "Isolated", invert: false },
    { ...part, use_regex: false },
  ];
}

/**
 * The library takes a text that becomes a special token by lowercasing for that token, although it was not typed so;
 * a space before it prevents that and changes nothing where only matches of an expression for words are kept.
 */
const LEADING_SPACE: Part = { type: "Prepend", prepend: " " };
const ignoresSpace = ([first]: Part[]) => first?.type === "Split" && first.invert === true;

/** tokenizers/src/pre_tokenizers/byte_level.rs, from GPT-2's encoder.py. */
const BYTE_LEVEL = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

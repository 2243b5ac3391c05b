// Scores that a search may not follow: rows of tokens that were there already, and what must come first or last.
import type { BeamSettings } from "./settings.ts";

type Place = {
  /** What was read, the start token first. */
  tokens: readonly number[];
  /** The most tokens there may be, the start token among them. */
  most: number;
};

/** In place, as NoRepeatNGram, ForcedBOS and ForcedEOS of transformers, in that order. */
export function forbid(scores: Float32Array, { tokens, most }: Place, settings: BeamSettings): void {
  const { noRepeat, forcedFirst, forcedLast } = settings;
  for (const token of repeats(tokens, noRepeat)) scores[token] = Number.NEGATIVE_INFINITY;
  if (forcedFirst !== undefined && tokens.length === 1) force(scores, forcedFirst);
  if (forcedLast !== undefined && tokens.length === most - 1) force(scores, forcedLast);
}

/** Tokens that would end a row of `size` which is there already. */
function repeats(tokens: readonly number[], size: number): number[] {
  if (size === 0 || tokens.length + 1 < size) return [];
  const last = tokens.slice(tokens.length + 1 - size);
  const found: number[] = [];
  for (let at = 0; at + size <= tokens.length; at++)
    if (last.every((token, i) => tokens[at + i] === token)) found.push(tokens[at + size - 1] ?? 0);
  return found;
}

function force(scores: Float32Array, token: number): void {
  scores.fill(Number.NEGATIVE_INFINITY);
  scores[token] = 0;
}

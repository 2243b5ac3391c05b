// Which tokens Whisper may write next: marks of time come in pairs, never go back, and come when they are likelier than words.

/** What generation_config.json says about it. */
export type MarkRules = {
  /** Id of `<|0.00|>`. */
  firstMark: number;
  /** Smallest id that is not a word. */
  endToken: number;
  withoutMarks: number;
  suppress: readonly number[];
  suppressAtBeginning: readonly number[];
  /** The first mark is at most so many steps of 20 ms from the beginning; undefined: anywhere. */
  latestBeginning: number | undefined;
};

/**
 * Changes the scores of the next token in place. `written` is without the beginning that was given. The rules, in this
 * order, of transformers' SuppressTokens processors and WhisperTimeStampLogitsProcessor.
 */
export function keepMarksInOrder(written: readonly number[], scores: Float32Array, rules: MarkRules): void {
  const { firstMark, endToken, withoutMarks } = rules;
  const forbid = (from: number, to = scores.length) => scores.fill(-Infinity, from, to);
  const suppressed = written.length === 0 ? [...rules.suppressAtBeginning, ...rules.suppress] : rules.suppress;
  for (const token of [...suppressed, withoutMarks]) if (token < scores.length) scores[token] = -Infinity;
  const isMark = (token: number | undefined) => token !== undefined && token >= firstMark;
  const [last, before] = [isMark(written.at(-1)), written.length < 2 || isMark(written.at(-2))];
  if (last && before) forbid(firstMark);
  else if (last) forbid(0, endToken);
  const latest = written.findLast(isMark);
  // A mark that ends a segment may be repeated by the one that begins the next.
  if (latest !== undefined) forbid(firstMark, last && !before ? latest : latest + 1);
  if (written.length === 0) {
    forbid(0, firstMark);
    if (rules.latestBeginning !== undefined) forbid(firstMark + rules.latestBeginning + 1);
  }
  if (marksAreLikelier(scores, firstMark)) forbid(0, firstMark);
}

/** All of them together than the likeliest word. */
function marksAreLikelier(scores: Float32Array, firstMark: number): boolean {
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  let [marks, word] = [0, 0];
  for (const [token, score] of scores.entries()) {
    const share = Math.exp(score - highest);
    if (token >= firstMark) marks += share;
    else word = Math.max(word, share);
  }
  return marks > word;
}

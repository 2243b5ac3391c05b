// When each token was said, from where the decoder looked in the sound: transformers' `_extract_token_timestamps`.
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";
import { MARK_SECONDS } from "./segment.ts";

/** Width of the median filter over time, in steps of 20 ms (`median_filter_width` of Whisper's configuration). */
const FILTER = 7;

export type Attention = {
  /** For each pass of the decoder, for each layer: [1, heads, tokens, steps]. */
  steps: readonly (readonly Tensor[])[];
  /** Layer and head of those that follow the sound. */
  heads: readonly (readonly [number, number])[];
  /** Tokens that were given at the beginning. */
  given: number;
  /** Steps of 20 ms with sound. */
  length: number;
};

/** Seconds for each token that was written and read again, and the last of them once more for the one that was not. */
export function tokenTimes(attention: Attention): number[] {
  const looks = attention.heads.map((head) => smooth(standardised(rowsOf(attention, head))));
  const count = looks[0]?.length ?? 0;
  if (count === 0 || attention.length === 0) return [];
  const mean = Array.from({ length: count }, (_, token) =>
    Float64Array.from(
      { length: attention.length },
      (_, step) => sumOf(looks, (each) => each[token]?.[step] ?? 0) / looks.length,
    ),
  );
  const times = firstSteps(mean).map((step) => step * MARK_SECONDS);
  return [...times, times.at(-1) ?? 0];
}

const sumOf = <T>(values: readonly T[], of: (value: T) => number) => values.reduce((sum, value) => sum + of(value), 0);

/** One row of weights for each token after those that were given. */
function rowsOf({ steps, given, length }: Attention, [layer, head]: readonly [number, number]): Float32Array[] {
  const rows = steps.flatMap((layers) => {
    const tensor = layers[layer];
    if (!tensor) return [];
    const [, , tokens = 0, width = 0] = tensor.shape;
    const all = toFloats(tensor);
    return Array.from({ length: tokens }, (_, token) => {
      const from = (head * tokens + token) * width;
      return all.slice(from, from + length);
    });
  });
  return rows.slice(given);
}

/** Each step's weights over all tokens get the mean 0 and the deviation 1. */
function standardised(rows: readonly Float32Array[]): Float32Array[] {
  const width = rows[0]?.length ?? 0;
  const changed = rows.map(() => new Float32Array(width));
  for (let step = 0; step < width; step++) {
    const mean = sumOf(rows, (row) => row[step] ?? 0) / rows.length;
    const deviation = Math.sqrt(sumOf(rows, (row) => ((row[step] ?? 0) - mean) ** 2) / rows.length) || 1;
    for (const [i, row] of rows.entries()) {
      const target = changed[i];
      if (target) target[step] = ((row[step] ?? 0) - mean) / deviation;
    }
  }
  return changed;
}

/** Median over time, the ends mirrored. */
function smooth(rows: readonly Float32Array[]): Float32Array[] {
  const half = FILTER >> 1;
  return rows.map((row) => {
    if (row.length <= half) return row;
    const last = row.length - 1;
    const mirrored = (i: number) => (i < 0 ? -i : i > last ? 2 * last - i : i);
    return row.map((_, at) => {
      const near = Array.from({ length: FILTER }, (_, i) => row[mirrored(at - half + i)] ?? 0);
      return near.sort((a, b) => a - b)[half] ?? 0;
    });
  });
}

const [BOTH, TOKEN, STEP] = [0, 1, 2];

/** Dynamic time warping: the step at which the best path through the weights comes to each token. */
function firstSteps(weights: readonly Float64Array[]): number[] {
  const [tokens, steps] = [weights.length, weights[0]?.length ?? 0];
  const width = steps + 1;
  const cost = new Float32Array((tokens + 1) * width).fill(Infinity);
  const came = new Uint8Array(cost.length).fill(STEP, 0, width);
  cost[0] = 0;
  const at = (token: number, step: number) => cost[token * width + step] ?? Infinity;
  for (let step = 1; step <= steps; step++) {
    for (let token = 1; token <= tokens; token++) {
      const [both, down, on] = [at(token - 1, step - 1), at(token - 1, step), at(token, step - 1)];
      const way = both < down && both < on ? BOTH : down < both && down < on ? TOKEN : STEP;
      const least = way === BOTH ? both : way === TOKEN ? down : on;
      cost[token * width + step] = least - (weights[token - 1]?.[step - 1] ?? 0);
      came[token * width + step] = way;
    }
  }
  for (let token = 0; token <= tokens; token++) came[token * width] = TOKEN;
  const first = new Array<number>(tokens).fill(0);
  for (let [token, step] = [tokens, steps]; token > 0 || step > 0; ) {
    if (token > 0) first[token - 1] = Math.max(0, step - 1);
    const way = came[token * width + step];
    if (way !== STEP) token--;
    if (way !== TOKEN) step--;
  }
  return first;
}

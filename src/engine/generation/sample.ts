// Takes the next token: the likeliest, or one by chance from a seed.

import { createMt19937 } from "../tensor/mt19937.ts";
import { uniform53 } from "../tensor/random.ts";
import { argmax, candidates, hasPenalties, highest, logSumExp, type Penalties, penalize, type Warp } from "./logits.ts";

export type Sampling = Penalties &
  Warp & {
    /** Equal seeds give equal answers, whatever else is answered at the time. */
    seed: number;
    /** How many likeliest tokens to tell beside the one taken; undefined: no probabilities at all. */
    topLogprobs?: number;
  };

export type Chosen = {
  token: number;
  /** The natural logarithm of the model's own share for it, before penalties and temperature. */
  logprob?: number;
  top?: { token: number; logprob: number }[];
};

export type Sampler = {
  /** All tokens that are not within the bounds are out. `logits` is not changed. */
  next(logits: Float32Array, bounds?: Bounds): Chosen;
};

/** What a schema lets follow. */
export type Bounds = {
  /** Cheap, where the mask of a large vocabulary takes milliseconds. */
  allows(token: number): boolean;
  mask(): Mask;
};

/** Bit by token: set = may be taken. */
export type Mask = Uint32Array;
const isAllowed = (mask: Mask, token: number) => ((mask[token >>> 5] ?? 0) & (1 << (token & 31))) !== 0;

/** `prompt`: what was read, for the penalty on repetition. */
export function createSampler(sampling: Sampling, prompt: readonly number[]): Sampler {
  const word = createMt19937(sampling.seed);
  const tokens = new Set(prompt);
  const counts = new Map<number, number>();
  const { temperature, topLogprobs } = sampling;

  function choose(logits: Float32Array): number {
    if (temperature === 0) return argmax(logits);
    const { tokens: left, shares } = candidates(logits, sampling);
    let rest = uniform53(word);
    for (let i = 0; i < left.length; i++) {
      rest -= shares[i] ?? 0;
      if (rest < 0) return left[i] ?? 0;
    }
    return left.at(-1) ?? 0;
  }
  return {
    next(logits, bounds) {
      const changed = hasPenalties(sampling) || bounds ? logits.slice() : logits;
      penalize(changed, sampling, { tokens, counts });
      // The likeliest of all, if it is within the bounds, is the likeliest of those that are.
      const isDone = temperature === 0 && bounds?.allows(argmax(changed));
      if (bounds && !isDone) keepOnly(changed, bounds.mask());
      const token = choose(changed);
      tokens.add(token);
      counts.set(token, (counts.get(token) ?? 0) + 1);
      return topLogprobs === undefined ? { token } : { token, ...probabilities(logits, token, topLogprobs) };
    },
  };
}

function keepOnly(logits: Float32Array, mask: Mask): void {
  for (let i = 0; i < logits.length; i++) if (!isAllowed(mask, i)) logits[i] = Number.NEGATIVE_INFINITY;
}

function probabilities(logits: Float32Array, token: number, count: number): Omit<Chosen, "token"> {
  const all = logSumExp(logits);
  const of = (each: number) => (logits[each] ?? 0) - all;
  return { logprob: of(token), top: highest(logits, count).map((each) => ({ token: each, logprob: of(each) })) };
}

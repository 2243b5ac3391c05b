// OpenAI's `seed` and `top_p` as models here take them.

const SEEDS = 2 ** 32;

type Chances = { seed?: number | undefined; top_p?: number | undefined };

/** A seed of 64 bits, or below zero, as far as seeds are told apart; the answer number `at` has another than the first. */
export const chancesOf = ({ seed, top_p }: Chances, at = 0) => ({
  ...(seed !== undefined && { seed: ((((seed % SEEDS) + at) % SEEDS) + SEEDS) % SEEDS }),
  // 0 means the likeliest token; so does the least share above it.
  ...(top_p !== undefined && { top_p: Math.max(top_p, Number.EPSILON) }),
});

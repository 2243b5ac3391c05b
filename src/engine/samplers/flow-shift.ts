// How far a flow-match schedule is shifted towards noise for a picture's size: large pictures need more of their steps there.

/** Fields of scheduler_config.json, names as in diffusers. */
export type ShiftRange = {
  base_shift: number;
  max_shift: number;
  base_image_seq_len: number;
  max_image_seq_len: number;
};

/** μ on the line through the range's ends; `tokens` are what the transformer sees of the picture (diffusers, FLUX.1). */
export function linearShift(range: ShiftRange, tokens: number): number {
  const slope = (range.max_shift - range.base_shift) / (range.max_image_seq_len - range.base_image_seq_len);
  return tokens * slope + range.base_shift - slope * range.base_image_seq_len;
}

/** Beyond this many tokens FLUX.2's μ no longer depends on the steps. */
const MANY_TOKENS = 4300;

/** FLUX.2's μ: lines in the tokens, measured at 200 and at 10 steps, and a line between them (its compute_empirical_mu). */
export function empiricalShift({ tokens, steps }: { tokens: number; steps: number }): number {
  const at200 = 0.00016927 * tokens + 0.45666666;
  if (tokens > MANY_TOKENS) return at200;
  const at10 = 8.73809524e-5 * tokens + 1.89833333;
  const slope = (at200 - at10) / 190;
  return slope * steps + at200 - 200 * slope;
}

// Keys and values of an encoder-decoder's steps, by the names that transformers.js' exports give them.
import type { HeldTensor, Tensor } from "../../core/tensor.ts";

export const PAST = "past_key_values.";
export const PRESENT = "present.";
/** Of what was encoded: computed in the first step, and empty in all others. */
export const OF_ENCODER = /\.encoder\./;

/** What a step gave for the next one, by its name without `present.`. */
export function keptOf<Each extends Tensor | HeldTensor>(
  results: Record<string, Each>,
  past: ReadonlyMap<string, Each> | undefined,
) {
  const kept = new Map<string, Each>();
  for (const [name, tensor] of Object.entries(results)) {
    if (!name.startsWith(PRESENT)) continue;
    const as = name.slice(PRESENT.length);
    kept.set(as, (OF_ENCODER.test(name) ? past?.get(as) : undefined) ?? tensor);
  }
  return kept;
}

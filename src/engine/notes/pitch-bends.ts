// How far a note's pitch lies from its key, frame by frame.
import { type Activations, BINS_PER_KEY } from "./activations.ts";
import { type FoundNote, LOWEST_PITCH } from "./find-notes.ts";

/** Bins on each side that are looked at: about eight semitones; and the deviation of the bell that weighs them. */
const REACH = 25;
const DEVIATION = 5;
const bell = Float64Array.from({ length: 2 * REACH + 1 }, (_, i) => Math.exp(-0.5 * ((i - REACH) / DEVIATION) ** 2));

/** In thirds of a semitone, one for each frame of the note. */
export function pitchBendsOf({ values, width }: Activations, { start, end, pitch }: FoundNote): number[] {
  const centre = BINS_PER_KEY * (pitch - LOWEST_PITCH);
  return Array.from({ length: end - start }, (_, i) => {
    let [best, most] = [0, Number.NEGATIVE_INFINITY];
    for (let bin = Math.max(0, centre - REACH); bin <= Math.min(width - 1, centre + REACH); bin++) {
      const weight = (values[(start + i) * width + bin] ?? 0) * (bell[bin - centre + REACH] ?? 0);
      if (weight > most) [best, most] = [bin - centre, weight];
    }
    return best;
  });
}

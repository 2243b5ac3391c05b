// Makes speech faster or slower at the same pitch, for models that know one speed.

/** Samples of a piece, and of the search for where it fits best: about 20 ms and 10 ms at 24 kHz. */
const PIECE = 512;
const SEARCH = 256;

/**
 * Overlapping pieces, each taken from near its place where it continues the last one best (WSOLA: Verhelst and Roelands,
 * 1993). 1 gives the same memory back.
 */
export function stretch(samples: Float32Array, speed: number): Float32Array {
  if (speed === 1 || samples.length < 2 * PIECE) return samples;
  const step = PIECE / 2;
  const length = Math.floor(samples.length / speed);
  const made = new Float32Array(length + PIECE);
  let next = 0; // where the last piece would go on
  for (let at = 0; at < length; at += step) {
    const from = at === 0 ? 0 : bestStart(samples, { near: Math.round(at * speed), like: next });
    for (let i = 0; i < PIECE; i++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / PIECE);
      made[at + i] = (made[at + i] ?? 0) + window * (samples[from + i] ?? 0);
    }
    next = from + step;
  }
  return made.subarray(0, length);
}

function bestStart(samples: Float32Array, { near, like }: { near: number; like: number }): number {
  let [best, score] = [near, -Infinity];
  for (let from = Math.max(0, near - SEARCH); from <= near + SEARCH; from += 2) {
    let likeness = 0;
    for (let i = 0; i < PIECE; i += 4) likeness += (samples[from + i] ?? 0) * (samples[like + i] ?? 0);
    if (likeness > score) [best, score] = [from, likeness];
  }
  return best;
}

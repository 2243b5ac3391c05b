// Smooths a number that changes over time: the slower it moves, the more (Casiez, Roussel and Vogel, "1€ Filter", CHI 2012).
export type Smoothing = {
  /** Hertz; what of a resting number is let through. Lower is smoother and later. */
  minCutoff: number;
  /** How much more is let through for each unit a second that it moves. Higher follows sooner. */
  beta: number;
  /** The speed is that from one raw number to the next, as MediaPipe has it; else that from the last smooth one. */
  isRaw?: boolean;
};

/** Hertz, for the speed itself: as the authors have it. */
const SPEED_CUTOFF = 1;

/**
 * A filter for one number. `seconds` is the time since the last call; the first value passes as it is. `scale`: what a unit of the number
 * counts for where its speed is looked at.
 */
export function createOneEuro({ minCutoff, beta, isRaw = false }: Smoothing) {
  let last: { raw: number; smooth: number; speed: number } | undefined;
  return (value: number, seconds: number, scale = 1): number => {
    if (last === undefined) {
      last = { raw: value, smooth: value, speed: 0 };
      return value;
    }
    const moved = (value - (isRaw ? last.raw : last.smooth)) * scale;
    const speed = mix(last.speed, moved / seconds, shareOf(SPEED_CUTOFF, seconds));
    const smooth = mix(last.smooth, value, shareOf(minCutoff + beta * Math.abs(speed), seconds));
    last = { raw: value, smooth, speed };
    return smooth;
  };
}

/** Of the new value, in an exponential mean with that cut-off. */
const shareOf = (cutoff: number, seconds: number) => 1 / (1 + 1 / (2 * Math.PI * cutoff * seconds));
const mix = (from: number, to: number, share: number) => from + share * (to - from);

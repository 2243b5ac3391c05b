// Smooths a number that changes over time: the slower it moves, the more (Casiez, Roussel and Vogel, "1€ Filter", CHI 2012).
export type Smoothing = {
  /** Hertz; what of a resting number is let through. Lower is smoother and later. */
  minCutoff: number;
  /** How much more is let through for each unit a second that it moves. Higher follows sooner. */
  beta: number;
};

/** Hertz, for the speed itself: as the authors have it. */
const SPEED_CUTOFF = 1;

/** A filter for one number. `seconds` is the time since the last call; the first value passes as it is. */
export function createOneEuro({ minCutoff, beta }: Smoothing): (value: number, seconds: number) => number {
  let last: { smooth: number; speed: number } | undefined;
  return (value, seconds) => {
    if (last === undefined) {
      last = { smooth: value, speed: 0 };
      return value;
    }
    const speed = mix(last.speed, (value - last.smooth) / seconds, shareOf(SPEED_CUTOFF, seconds));
    const smooth = mix(last.smooth, value, shareOf(minCutoff + beta * Math.abs(speed), seconds));
    last = { smooth, speed };
    return smooth;
  };
}

/** Of the new value, in an exponential mean with that cut-off. */
const shareOf = (cutoff: number, seconds: number) => 1 / (1 + 1 / (2 * Math.PI * cutoff * seconds));
const mix = (from: number, to: number, share: number) => from + share * (to - from);

// Whether a measure grows: a line through its samples after the first third, by the median of the slopes between all pairs of them
// (Theil and Sen), which a peak here and there does not turn.

export type Sample = { seconds: number; value: number };

export type Verdict = {
  /** Values at the start of what was fitted and at its end, each the median of a tenth of the samples. */
  from: number;
  to: number;
  /** The line's slope, in the measure's unit an hour. */
  perHour: number;
  limitPerHour: number;
  /** Of the samples that were fitted. */
  samples: number;
  /** false: the slope is above the limit; within a short time, what it came to is above the slack. */
  isSteady: boolean;
};

/** Caches fill and models come for the first time in it. */
const WARM_UP = 1 / 3;
/** Pairs of more samples than this would take longer than they tell. */
const MOST = 400;

/** Over less than this any step is a steep slope. */
const SHORT_SECONDS = 600;

/** `slack` is what the measure may have grown by where the time was short, in its unit. */
export function judge(
  samples: readonly Sample[],
  { limitPerHour, slack }: { limitPerHour: number; slack: number },
): Verdict {
  const fitted = thinned(samples.slice(Math.floor(samples.length * WARM_UP)));
  const perSecond = medianSlope(fitted);
  const spread = Math.max(1, Math.ceil(fitted.length / 10));
  const typical = (part: readonly Sample[]) =>
    quantile(
      part.map(({ value }) => value),
      0.5,
    );
  const [from, to] = [typical(fitted.slice(0, spread)), typical(fitted.slice(-spread))];
  const duration = (fitted.at(-1)?.seconds ?? 0) - (fitted[0]?.seconds ?? 0);
  const perHour = perSecond * 3600;
  return {
    from,
    to,
    perHour: Math.round(perHour * 100) / 100,
    limitPerHour,
    samples: fitted.length,
    isSteady: duration < SHORT_SECONDS ? perSecond * duration <= slack : perHour <= limitPerHour,
  };
}

function medianSlope(samples: readonly Sample[]): number {
  const slopes = samples.flatMap((early, index) =>
    samples.slice(index + 1).map((late) => (late.value - early.value) / (late.seconds - early.seconds)),
  );
  return slopes.length === 0 ? 0 : quantile(slopes, 0.5);
}

function thinned(samples: readonly Sample[]): Sample[] {
  const step = Math.ceil(samples.length / MOST);
  return samples.filter((_, index) => index % step === 0);
}

/** 0 is the least, 0.5 the median, 1 the largest. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

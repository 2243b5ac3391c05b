// The few numbers that many samples are told by.

/** The value below which this share of the samples lies (nearest rank). Throws for no samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("there are no samples");
  return value;
}

export const median = (samples: readonly number[]) => percentile(samples, 0.5);

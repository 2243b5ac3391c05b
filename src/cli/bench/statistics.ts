// The few numbers that many samples are told by.

/** The value below which this share of the samples lies (nearest rank). Throws for no samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("there are no samples");
  return value;
}

export const median = (samples: readonly number[]) => percentile(samples, 0.5);

/** The mean without the lowest and the highest tenth. Throws for no samples. */
export function trimmedMean(samples: readonly number[]): number {
  const tenth = Math.floor(samples.length / 10);
  const kept = samples.toSorted((a, b) => a - b).slice(tenth, samples.length - tenth);
  if (kept.length === 0) throw new RangeError("there are no samples");
  return kept.reduce((sum, each) => sum + each, 0) / kept.length;
}

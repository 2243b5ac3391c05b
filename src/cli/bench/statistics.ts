// The few numbers that many samples are told by.

/** The value below which this share of the samples lies (nearest rank). Throws for no samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("there are no samples");
  return value;
}

/** Of an even number the mean of both in the middle. Throws for no samples. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (lower === undefined || upper === undefined) throw new RangeError("there are no samples");
  return (lower + upper) / 2;
}

/** Throws for no samples. */
export function mean(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError("there are no samples");
  return samples.reduce((sum, each) => sum + each, 0) / samples.length;
}

/** The mean without the lowest and the highest tenth. Throws for no samples. */
export function trimmedMean(samples: readonly number[]): number {
  const tenth = Math.floor(samples.length / 10);
  return mean(samples.toSorted((a, b) => a - b).slice(tenth, samples.length - tenth));
}

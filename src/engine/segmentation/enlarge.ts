// Enlarges planes of numbers by straight lines between them, as PyTorch's interpolate does (align_corners=False).

/** For each target position: where its sources begin, and what each of them weighs. */
export type Lines = { source: number; from: readonly number[]; weights: readonly (readonly number[])[] };

export function bilinear(source: number, target: number): Lines {
  const from: number[] = [];
  const weights: number[][] = [];
  for (let at = 0; at < target; at++) {
    const place = Math.max(0, ((at + 0.5) * source) / target - 0.5);
    const before = Math.min(source - 1, Math.floor(place));
    const share = before + 1 < source ? place - before : 0;
    from.push(before);
    weights.push(share > 0 ? [1 - share, share] : [1]);
  }
  return { source, from, weights };
}

/** The first positions alone. */
export const firstOf = ({ from, weights, ...rest }: Lines, count: number): Lines => ({
  ...rest,
  from: from.slice(0, count),
  weights: weights.slice(0, count),
});

/** First the one, then the other of what it gave, in one pass. */
export function after(first: Lines, second: Lines): Lines {
  const from: number[] = [];
  const weights: number[][] = [];
  for (const [at, begin] of second.from.entries()) {
    const start = first.from[begin] ?? 0;
    const sum: number[] = [];
    for (const [i, share] of (second.weights[at] ?? []).entries()) {
      const offset = (first.from[begin + i] ?? 0) - start;
      for (const [k, weight] of (first.weights[begin + i] ?? []).entries())
        sum[offset + k] = (sum[offset + k] ?? 0) + share * weight;
    }
    from.push(start);
    weights.push(Array.from(sum, (each) => each ?? 0));
  }
  return { source: first.source, from, weights };
}

/** `plane`: [down.source, across.source] -> [down's targets, across' targets]. */
export function enlarge(plane: Float32Array, { across, down }: { across: Lines; down: Lines }): Float32Array {
  const [width, height] = [across.from.length, down.from.length];
  const wide = new Float32Array(width * down.source);
  for (let y = 0; y < down.source; y++)
    for (let x = 0; x < width; x++) {
      const [start, weights] = [y * across.source + (across.from[x] ?? 0), across.weights[x] ?? []];
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] ?? 0) * (plane[start + k] ?? 0);
      wide[y * width + x] = sum;
    }
  const large = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [start, weights] = [down.from[y] ?? 0, down.weights[y] ?? []];
    for (let k = 0; k < weights.length; k++) {
      const [weight, row] = [weights[k] ?? 0, (start + k) * width];
      for (let x = 0; x < width; x++)
        large[y * width + x] = (large[y * width + x] ?? 0) + weight * (wide[row + x] ?? 0);
    }
  }
  return large;
}

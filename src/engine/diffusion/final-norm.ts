// A text encoder's last norm, worked out from what goes in and what comes out: graphs do not tell its weights.

/** [tokens, width], row by row. */
type States = { data: Float32Array; width: number };

/** Layer norms divide by the root of the variance and this (CLIP's config.json; every released encoder). */
const EPSILON = 1e-5;

/**
 * The norm that made `normed` of `raw`, for states of other layers. Each of its outputs is a gain times the input
 * brought to mean 0 and variance 1, and an offset: the line through all tokens gives both.
 */
export function normBetween(raw: States, normed: States): (states: Float32Array) => Float32Array {
  const { width } = raw;
  const inputs = standardised(raw);
  const tokens = inputs.length / width;
  const gains = new Float64Array(width);
  const offsets = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    let [sumX, sumY, sumXx, sumXy] = [0, 0, 0, 0];
    for (let at = column; at < inputs.length; at += width) {
      const [x, y] = [inputs[at] ?? 0, normed.data[at] ?? 0];
      sumX += x;
      sumY += y;
      sumXx += x * x;
      sumXy += x * y;
    }
    const spread = tokens * sumXx - sumX * sumX;
    const gain = spread > 0 ? (tokens * sumXy - sumX * sumY) / spread : 0;
    gains[column] = gain;
    offsets[column] = (sumY - gain * sumX) / tokens;
  }
  return (states) =>
    Float32Array.from(standardised({ data: states, width }), (value, at) => {
      const column = at % width;
      return value * (gains[column] ?? 0) + (offsets[column] ?? 0);
    });
}

/** Each token's values brought to mean 0 and variance 1. */
function standardised({ data, width }: States): Float64Array {
  const all = new Float64Array(data.length);
  for (let from = 0; from < data.length; from += width) {
    const row = data.subarray(from, from + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    const scale = 1 / Math.sqrt(variance + EPSILON);
    for (const [at, value] of row.entries()) all[from + at] = (value - mean) * scale;
  }
  return all;
}

// Where a heat map peaks, finer than its cells: DARK (Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose
// Estimation", CVPR 2020) as transformers' post_process_pose_estimation has it.
type HeatMap = { values: Float32Array; width: number; height: number };
/** In cells from the middle of the first. */
export type Peak = { x: number; y: number; score: number };

/** The blur before: a Gaussian over 11 cells, which the ends mirror (scipy's `reflect`). */
const SIGMA = 0.8;
const RADIUS = 5;
const weights = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA * SIGMA)));
const total = weights.reduce((sum, each) => sum + each, 0);
/** Of the blurred heat, before its logarithm. */
const [COLDEST, HOTTEST] = [0.001, 50];
/** Of a single-precision number: keeps flat maps solvable. */
const EPSILON = 2 ** -23;

/** The peak of a parabola through the logarithm of the blurred map around its hottest cell; that cell where nothing is warm. */
export function peakOf(map: HeatMap): Peak {
  const { values, width } = map;
  const best = values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0);
  const [x, y] = [best % width, Math.floor(best / width)];
  const score = values[best] ?? 0;
  if (score <= 0) return { x, y, score };
  const at = (dx: number, dy: number) => Math.log(Math.min(HOTTEST, Math.max(COLDEST, blurred(map, x + dx, y + dy))));
  const middle = at(0, 0);
  const [left, right, up, down] = [at(-1, 0), at(1, 0), at(0, -1), at(0, 1)];
  const [dx, dy] = [(right - left) / 2, (down - up) / 2];
  const dxx = right - 2 * middle + left + EPSILON;
  const dyy = down - 2 * middle + up + EPSILON;
  const dxy = (at(1, 1) - right - down + 2 * middle - left - up + at(-1, -1)) / 2;
  const determinant = dxx * dyy - dxy * dxy;
  // One step of Newton's: what lies flat in all directions has none.
  if (determinant === 0) return { x, y, score };
  return { x: x - (dyy * dx - dxy * dy) / determinant, y: y - (dxx * dy - dxy * dx) / determinant, score };
}

/** One cell; beyond the map its edge goes on. */
function blurred({ values, width, height }: HeatMap, column: number, row: number): number {
  const [x, y] = [clamp(column, width), clamp(row, height)];
  let sum = 0;
  for (const [j, down] of weights.entries()) {
    const from = mirror(y + j - RADIUS, height) * width;
    for (const [i, across] of weights.entries())
      sum += down * across * (values[from + mirror(x + i - RADIUS, width)] ?? 0);
  }
  return sum / (total * total);
}

const clamp = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));

/** d c b a | a b c d | d c b a */
function mirror(at: number, length: number): number {
  const turn = ((at % (2 * length)) + 2 * length) % (2 * length);
  return turn < length ? turn : 2 * length - 1 - turn;
}

// The camera behind a map of points that is right but for a shift in depth: which focal length and which shift put each
// point where its pixel is (MoGe, R. Wang et al., CVPR 2025).

/** A point, and where its pixel lies from the middle, in halves of the picture's diagonal. */
export type SeenPoint = { x: number; y: number; z: number; u: number; v: number };

const ROUNDS = 50;
/** Changes of the shift below this, relative to how far things are, do not show. */
const SMALL = 1e-7;

/**
 * Least squares over `focal * xy / (z + shift) - uv`, where the best focal length for a shift is known at once; by
 * Gauss and Newton with steps that are halved until they help. `focal` in halves of the diagonal; given, only the
 * shift is looked for.
 */
export function recoverFocalShift(points: readonly SeenPoint[], focal?: number): { focal: number; shift: number } {
  if (points.length < 2) return { focal: focal ?? 1, shift: 0 };
  const far = points.reduce((sum, { z }) => sum + Math.abs(z), 0) / points.length || 1;
  const bestFocal = (shift: number) => focal ?? focalOf(points, shift);
  const errorAt = (shift: number) => {
    const f = bestFocal(shift);
    const sum = points.reduce((all, { x, y, z, u, v }) => {
      const depth = z + shift;
      return all + ((f * x) / depth - u) ** 2 + ((f * y) / depth - v) ** 2;
    }, 0);
    return Number.isFinite(sum) ? sum : Infinity;
  };
  let shift = 0;
  let error = errorAt(shift);
  for (let round = 0; round < ROUNDS; round++) {
    let step = newtonStep(points, shift, bestFocal);
    while (Math.abs(step) > SMALL * far && errorAt(shift + step) >= error) step /= 2;
    if (Math.abs(step) <= SMALL * far) break;
    shift += step;
    error = errorAt(shift);
  }
  return { focal: bestFocal(shift), shift };
}

function focalOf(points: readonly SeenPoint[], shift: number): number {
  let [along, square] = [0, 0];
  for (const { x, y, z, u, v } of points) {
    const [px, py] = [x / (z + shift), y / (z + shift)];
    along += px * u + py * v;
    square += px * px + py * py;
  }
  return along / square;
}

/** The slopes of the errors by differences: the focal length follows the shift. */
function newtonStep(points: readonly SeenPoint[], shift: number, bestFocal: (shift: number) => number): number {
  const delta = 1e-5 * Math.max(1, Math.abs(shift));
  const [f, ahead] = [bestFocal(shift), bestFocal(shift + delta)];
  let [slopes, squares] = [0, 0];
  for (const { x, y, z, u, v } of points)
    for (const [place, wanted] of [
      [x, u],
      [y, v],
    ] as const) {
      const error = (f * place) / (z + shift) - wanted;
      const slope = ((ahead * place) / (z + shift + delta) - wanted - error) / delta;
      slopes += slope * error;
      squares += slope * slope;
    }
  return squares > 0 ? -slopes / squares : 0;
}

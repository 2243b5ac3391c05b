// The mean of a square around each number of a plane.
type Size = { width: number; height: number };

/**
 * Row by row in, row by row out. Windows of an even edge reach one further to the left and up, and beyond the plane it
 * is mirrored without its outermost row (OpenCV's `blur`).
 */
export function boxBlur(values: Float32Array, { width, height }: Size, edge: number): Float32Array {
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) slide({ values, into: across, from: y * width, step: 1, length: width, edge });
  const blurred = new Float32Array(values.length);
  for (let x = 0; x < width; x++) slide({ values: across, into: blurred, from: x, step: width, length: height, edge });
  return blurred;
}

type Line = { values: Float32Array; into: Float32Array; from: number; step: number; length: number; edge: number };

/** The sum of a window is that of the one before, less what leaves and with what enters. */
function slide({ values, into, from, step, length, edge }: Line): void {
  const before = Math.floor(edge / 2);
  const at = (i: number) => values[from + mirrored(i, length) * step] ?? 0;
  let sum = 0;
  for (let i = -before; i < edge - before; i++) sum += at(i);
  for (let i = 0; i < length; i++) {
    into[from + i * step] = sum / edge;
    sum += at(i + edge - before) - at(i - before);
  }
}

function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

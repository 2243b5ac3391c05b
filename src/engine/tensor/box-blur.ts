// The mean of a square around each number of a plane.
type Size = { width: number; height: number };

/**
 * Row by row in, row by row out. Windows of an even edge reach one further to the left and up, and beyond the plane it
 * is mirrored without its outermost row (OpenCV's `blur`).
 */
export function boxBlur(values: Float32Array, { width, height }: Size, edge: number): Float32Array {
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) slide(values, { into: across, from: y * width, length: width, edge });
  return slideDown(across, { width, height }, edge);
}

type Line = { into: Float32Array; from: number; length: number; edge: number };

/** The sum of a window is that of the one before, less what leaves and with what enters. */
function slide(values: Float32Array, { into, from, length, edge }: Line): void {
  const before = Math.floor(edge / 2);
  const behind = edge - before;
  const at = (i: number) => values[from + mirrored(i, length)] ?? 0;
  let sum = 0;
  for (let i = -before; i < behind; i++) sum += at(i);
  // Where the whole window lies within the line, nothing is mirrored: most of it, and much quicker.
  const [inside, outside] = [Math.min(before, length), Math.max(before, length - behind)];
  for (let i = 0; i < inside; i++) {
    into[from + i] = sum / edge;
    sum += at(i + behind) - at(i - before);
  }
  for (let i = from + inside; i < from + Math.min(outside, length); i++) {
    into[i] = sum / edge;
    sum += (values[i + behind] ?? 0) - (values[i - before] ?? 0);
  }
  for (let i = Math.max(inside, outside); i < length; i++) {
    into[from + i] = sum / edge;
    sum += at(i + behind) - at(i - before);
  }
}

/** The same down the columns, of all of them side by side: one column after the other would read memory in leaps. */
function slideDown(values: Float32Array, { width, height }: Size, edge: number): Float32Array {
  const before = Math.floor(edge / 2);
  const behind = edge - before;
  const rowAt = (y: number) => mirrored(y, height) * width;
  const sums = new Float64Array(width);
  for (let y = -before; y < behind; y++) {
    const row = rowAt(y);
    for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) + (values[row + x] ?? 0);
  }
  const blurred = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const [row, enters, leaves] = [y * width, rowAt(y + behind), rowAt(y - before)];
    for (let x = 0; x < width; x++) {
      const sum = sums[x] ?? 0;
      blurred[row + x] = sum / edge;
      sums[x] = sum + ((values[enters + x] ?? 0) - (values[leaves + x] ?? 0));
    }
  }
  return blurred;
}

function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

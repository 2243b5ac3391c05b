import { expect, test } from "bun:test";
import { boxBlur } from "../../../src/engine/tensor/box-blur.ts";

const mirrored = (at: number, length: number): number => {
  if (length === 1) return 0;
  if (at < 0) return mirrored(-at, length);
  return at < length ? at : mirrored(2 * (length - 1) - at, length);
};

/** Every window summed by itself. */
function means(values: Float32Array, { width, height }: { width: number; height: number }, edge: number) {
  const from = -Math.floor(edge / 2);
  return Float32Array.from(values, (_, i) => {
    let sum = 0;
    for (let down = from; down < from + edge; down++)
      for (let across = from; across < from + edge; across++) {
        const [x, y] = [mirrored((i % width) + across, width), mirrored(Math.floor(i / width) + down, height)];
        sum += values[y * width + x] ?? Number.NaN;
      }
    return sum / edge ** 2;
  });
}

test.each([
  [40, 25, 6],
  [25, 40, 7],
  [9, 7, 30],
  [3, 60, 8],
  [60, 3, 8],
  [1, 1, 5],
])("a plane of %i x %i is blurred by a window of %i, larger than it is or not", (width, height, edge) => {
  const values = Float32Array.from({ length: width * height }, (_, i) => ((i * 7919) % 101) / 101);
  const expected = means(values, { width, height }, edge);
  const blurred = boxBlur(values, { width, height }, edge);
  expect(blurred).toHaveLength(values.length);
  for (const [i, value] of blurred.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
});

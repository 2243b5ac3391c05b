// The sizes that vision models see pictures in: none is so long that it fills the memory.
import { expect, test } from "bun:test";
import { type Edge, resizedSize } from "../../../src/engine/vision/resized-size.ts";

const byShorter: Edge = { shortest_edge: 512 };
const depth = { size: { width: 518, height: 518 }, keep_aspect_ratio: true, ensure_multiple_of: 14 };

test("panoramas are seen whole", () => {
  expect(resizedSize({ width: 4000, height: 400 }, { size: byShorter })).toEqual({ width: 5120, height: 512 });
  expect(resizedSize({ width: 518, height: 5180 }, depth)).toEqual({ width: 518, height: 5180 });
});

test.each([
  [1, 60_000],
  [60_000, 1],
  [8000, 300],
  [1, 67_108_864],
  [518, 129_000],
])("of a picture of %i x %i a model sees no more than of the longest panorama", (width, height) => {
  const seen = resizedSize({ width, height }, { size: byShorter, size_divisibility: 32 });
  expect(Math.max(seen.width, seen.height)).toBeLessThanOrEqual(5120);
  expect(Math.min(seen.width, seen.height)).toBeGreaterThanOrEqual(32);
  const measured = resizedSize({ width, height }, depth);
  expect(measured.width * measured.height).toBeLessThan(11 * 518 ** 2);
  expect([measured.width % 14, measured.height % 14]).toEqual([0, 0]);
});

test("a longest edge of the model's own goes before", () => {
  const size: Edge = { shortest_edge: 800, longest_edge: 1333 };
  expect(resizedSize({ width: 100, height: 1000 }, { size })).toEqual({ width: 133, height: 1333 });
});

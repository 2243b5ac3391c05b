// Outlines drawn into pictures.
import { expect, test } from "bun:test";
import { annotate } from "../../../src/engine/vision/annotate.ts";

const black = (size: number) => ({
  data: new Uint8Array(size * size * 4),
  width: size,
  height: size,
  channels: 4 as const,
});
const square = (from: number, to: number) => [
  { x: from, y: from },
  { x: to, y: from },
  { x: to, y: to },
  { x: from, y: to },
];

test("an outline is drawn on its line, nothing inside or outside, and the picture given stays", async () => {
  const picture = black(40);
  const drawn = await annotate(picture, [{ points: square(10, 30), label: "a" }]);
  const at = (x: number, y: number) => [...drawn.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];
  expect(drawn.channels).toBe(3);
  expect(at(10, 20)).not.toEqual([0, 0, 0]);
  expect(at(20, 29)).not.toEqual([0, 0, 0]);
  expect(at(20, 20)).toEqual([0, 0, 0]);
  expect(at(3, 3)).toEqual([0, 0, 0]);
  expect(picture.data.every((value) => value === 0)).toBe(true);
});

test("filled ones are tinted inside; labels have colours of their own; edges of the picture are minded", async () => {
  const drawn = await annotate(black(40), [
    { points: square(-5, 10), label: "a", isFilled: true },
    { points: square(20, 90), label: "b" },
    { points: square(22, 24), label: "a" },
  ]);
  const at = (x: number, y: number) => [...drawn.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];
  expect(at(2, 2).some((value) => value > 0 && value < 128)).toBe(true);
  expect(at(20, 30)).not.toEqual(at(22, 23));
  expect(at(10, 5)).toEqual(at(22, 23));
});

// Turned rectangles: the smallest around points, their corners and what a picture shows in them.
import { describe, expect, test } from "bun:test";
import type { Pixels } from "../../../src/core/pipeline.ts";
import {
  cornersOf,
  larger,
  type Point,
  scaled,
  smallestAround,
  straighten,
  turned,
} from "../../../src/engine/ocr/rectangle.ts";
import { inReadingOrder, regionsOf } from "../../../src/engine/ocr/regions.ts";

/** Points of a grid of the size, turned around (50, 40). */
function grid(width: number, height: number, degrees: number): Point[] {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return Array.from({ length: (width + 1) * (height + 1) }, (_, i) => {
    const [u, v] = [(i % (width + 1)) - width / 2, Math.floor(i / (width + 1)) - height / 2];
    return { x: 50 + u * cos - v * sin, y: 40 + u * sin + v * cos };
  });
}

describe("the smallest rectangle around points", () => {
  test.each([0, 10, 44, -10, -44, 80, 100, 180])("turned by %p degrees is found", (degrees) => {
    const found = smallestAround(grid(30, 8, degrees));
    if (!found) throw new Error("no rectangle");
    expect([found.width, found.height].toSorted((a, b) => a - b)).toEqual([
      expect.closeTo(8, 6),
      expect.closeTo(30, 6),
    ]);
    expect(found.centre).toEqual({ x: expect.closeTo(50, 6), y: expect.closeTo(40, 6) });
    expect(found.across.x).toBeGreaterThan(0.7);
    // Above is where `down` comes from.
    expect(found.down.y).toBeGreaterThan(0.7);
  });

  test("of one point has no size, of none there is none", () => {
    expect(smallestAround([{ x: 3, y: 4 }])).toMatchObject({ centre: { x: 3, y: 4 }, width: 0, height: 0 });
    expect(smallestAround([])).toBeUndefined();
  });

  test("grows on all sides, and has its corners in the order of reading", () => {
    const found = smallestAround(grid(30, 8, 0));
    const corners = cornersOf(larger(found ?? FLAT, 2)).map(({ x, y }) => [Math.round(x), Math.round(y)]);
    expect(corners).toEqual([
      [33, 34],
      [67, 34],
      [67, 46],
      [33, 46],
    ]);
  });

  test("follows a picture that is stretched", () => {
    const { centre, width, height } = scaled(smallestAround(grid(30, 8, 0)) ?? FLAT, 2, 3);
    expect([centre.x, centre.y, width, height].map(Math.round)).toEqual([100, 120, 60, 24]);
  });
});

const FLAT = { centre: { x: 0, y: 0 }, across: { x: 1, y: 0 }, down: { x: 0, y: 1 }, width: 0, height: 0 };

/** 4 x 2, grey by number. */
const small: Pixels = { data: Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70), width: 4, height: 2, channels: 1 };

describe("a straightened picture", () => {
  const all = { ...FLAT, centre: { x: 2, y: 1 }, width: 4, height: 2 };

  test("of the whole is the picture itself; turned it runs from below to above", () => {
    expect(straighten(small, all)).toEqual(small);
    expect(straighten(small, turned(all))).toEqual({
      ...small,
      width: 2,
      height: 4,
      data: Uint8Array.of(30, 70, 20, 60, 10, 50, 0, 40),
    });
    expect([...straighten(small, turned(turned(all))).data]).toEqual([70, 60, 50, 40, 30, 20, 10, 0]);
  });

  test("between pixels is between their values, and beyond the edge goes on", () => {
    const half = { ...all, centre: { x: 2.5, y: 1 } };
    expect([...straighten(small, half).data]).toEqual([5, 15, 25, 30, 45, 55, 65, 70]);
  });
});

describe("regions of a map", () => {
  const [width, height] = [60, 40];
  const mapOf = (share: (x: number, y: number) => number) => ({
    width,
    height,
    values: Float32Array.from({ length: width * height }, (_, i) => share(i % width, Math.floor(i / width))),
  });
  const inside = (x: number, y: number, [left, top, right, bottom]: [number, number, number, number]) =>
    x >= left && x <= right && y >= top && y <= bottom;

  test("are widened by half of what their edges enclose, as PaddleOCR does", () => {
    const [region, ...others] = regionsOf(mapOf((x, y) => (inside(x, y, [10, 10, 40, 16]) ? 0.9 : 0)));
    expect(others).toEqual([]);
    const margin = (30 * 6 * 1.5) / (2 * 36);
    expect(region?.width).toBeCloseTo(30 + 2 * margin, 4);
    expect(region?.height).toBeCloseTo(6 + 2 * margin, 4);
    expect(region?.centre).toEqual({ x: 25, y: 13 });
  });

  test("that are faint, thin or unsure are none; two that do not touch are two", () => {
    expect(regionsOf(mapOf((x, y) => (inside(x, y, [10, 10, 40, 16]) ? 0.25 : 0)))).toEqual([]);
    expect(regionsOf(mapOf((x, y) => (inside(x, y, [10, 10, 40, 16]) ? 0.5 : 0)))).toEqual([]);
    expect(regionsOf(mapOf((x, y) => (inside(x, y, [10, 10, 40, 12]) ? 0.9 : 0)))).toEqual([]);
    const two = mapOf((x, y) => (inside(x, y, [2, 2, 20, 8]) || inside(x, y, [30, 20, 50, 28]) ? 0.9 : 0));
    expect(regionsOf(two)).toHaveLength(2);
  });

  test("are read row by row, from left to right, whatever order they were found in", () => {
    const at = (x: number, y: number) => ({ ...FLAT, centre: { x, y }, width: 20, height: 10 });
    const [title, left, right, below] = [at(50, 10), at(15, 40), at(60, 44), at(15, 70)];
    expect(inReadingOrder([below, right, title, left])).toEqual([title, left, right, below]);
  });
});

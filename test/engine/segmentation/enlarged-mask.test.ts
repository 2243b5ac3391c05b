// A small mask cut in the size of its picture, against the whole plane of numbers that it stands for.
import { describe, expect, test } from "bun:test";
import { createPause } from "../../../src/engine/pause.ts";
import { cut } from "../../../src/engine/segmentation/enlarged-mask.ts";
import { runsOf } from "../../../src/engine/segmentation/runs.ts";
import { after, along, firstOf, linesOf } from "../../../src/engine/tensor/interpolate.ts";

const EDGE = 24;
const pause = createPause();

/** Hills and valleys of a few cells, as a network's masks are: mostly far from 0. */
const hills = (steepness: number) =>
  Float32Array.from({ length: EDGE * EDGE }, (_, at) => {
    const [x, y] = [at % EDGE, Math.floor(at / EDGE)];
    return steepness * (Math.sin(x / 2.1 + 0.3) * Math.cos(y / 2.7) + 0.2 * Math.sin(x * y));
  });

const stretched = (length: number) => linesOf(EDGE, length, "bilinear");
/** SAM's way: to a square, without what was filled up, to the picture. */
const bySquare = (seen: number, length: number) =>
  after(firstOf(linesOf(EDGE, 96, "bilinear"), seen), linesOf(seen, length, "bilinear"));

describe.each([0, 0.5, 3, 40])("with logits of up to %d", (steepness) => {
  test.each([
    ["stretched", stretched(301), stretched(187)],
    ["shown in a square", bySquare(96, 301), bySquare(60, 187)],
    ["made smaller", stretched(7), stretched(11)],
    ["as it is", stretched(EDGE), stretched(EDGE)],
  ] as const)("%s it is what the whole plane is", async (_, across, down) => {
    const mask = { values: hills(steepness), across, down };
    const plane = await along(mask.values, mask, pause);
    const [width, height] = [across.from.length, down.from.length];
    const data = Uint8Array.from(plane, (value) => Number(value > 0));
    const { runs, high, low } = cut(mask);
    expect(runs).toEqual(await runsOf({ data, width, height }, pause));
    expect(high).toBe(plane.filter((value) => value > 1).length);
    expect(low).toBe(plane.filter((value) => value > -1).length);
  });
});

test("what is no number is nowhere", () => {
  const values = new Float32Array(EDGE * EDGE).fill(Number.NaN);
  const { runs, high, low } = cut({ values, across: stretched(50), down: stretched(50) });
  expect([runs.from.length, high, low]).toEqual([0, 0, 0]);
});

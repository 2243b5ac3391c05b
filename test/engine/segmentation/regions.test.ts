// Regions of masks by their stretches, against a flood over their pixels.
import { expect, test } from "bun:test";
import { createPause } from "../../../src/engine/pause.ts";
import { regionsOf, withoutSmallRegions } from "../../../src/engine/segmentation/regions.ts";
import { areaOf, edgesOf, inverted, type Mask, maskOf, runsOf, united } from "../../../src/engine/segmentation/runs.ts";

const pause = createPause();
const [WIDTH, HEIGHT] = [37, 23];

/** Pixels by chance, the same ones at each run; `share` of them white. */
function noise(share: number, seed: number): Mask {
  let state = seed;
  const data = Uint8Array.from({ length: WIDTH * HEIGHT }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Number(state / 2 ** 32 < share);
  });
  return { data, width: WIDTH, height: HEIGHT };
}

const masks = [0, 0.05, 0.3, 0.5, 0.7, 0.97, 1].map((share, i) => noise(share, i + 1));

/** Connected parts in the order of their first pixels; corners connect. */
function flooded({ data, width, height }: Mask, value: 0 | 1): number[][] {
  const seen = new Set<number>();
  const regions: number[][] = [];
  for (let start = 0; start < data.length; start++) {
    if (data[start] !== value || seen.has(start)) continue;
    const region = [start];
    seen.add(start);
    for (const at of region)
      for (const dy of [-1, 0, 1])
        for (const dx of [-1, 0, 1]) {
          const [x, y] = [(at % width) + dx, Math.floor(at / width) + dy];
          const other = y * width + x;
          if (x < 0 || x >= width || y < 0 || y >= height || data[other] !== value || seen.has(other)) continue;
          seen.add(other);
          region.push(other);
        }
    regions.push(region);
  }
  return regions;
}

function cleanedByPixels(mask: Mask, area: number): Mask {
  const data = mask.data.slice();
  for (const hole of flooded(mask, 0)) if (hole.length < area) for (const at of hole) data[at] = 1;
  const islands = flooded({ ...mask, data }, 1);
  const large = islands.filter(({ length }) => length >= area);
  const [largest = []] = islands.toSorted((a, b) => b.length - a.length);
  data.fill(0);
  for (const at of (large.length > 0 ? large : [largest]).flat()) data[at] = 1;
  return { ...mask, data };
}

test("stretches hold what the mask holds, and the other way round", async () => {
  for (const mask of masks) {
    const runs = await runsOf(mask, pause);
    expect(maskOf(runs)).toEqual(mask);
    expect(areaOf(runs)).toBe(mask.data.filter((each) => each === 1).length);
    expect(maskOf(inverted(runs)).data).toEqual(mask.data.map((each) => 1 - each));
  }
  const [a, b] = [noise(0.4, 9), noise(0.3, 10)];
  const either = united(await runsOf(a, pause), await runsOf(b, pause));
  expect(maskOf(either).data).toEqual(a.data.map((each, at) => each | (b.data[at] ?? 0)));
});

test("the outermost pixels are its edges, and an empty mask has none", async () => {
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (const [x, y] of [
    [5, 3],
    [30, 9],
    [2, 20],
  ] as const)
    data[y * WIDTH + x] = 1;
  expect(edgesOf(await runsOf({ data, width: WIDTH, height: HEIGHT }, pause))).toEqual({
    ...{ left: 2, top: 3, right: 30, bottom: 20 },
  });
  expect(edgesOf(await runsOf(noise(0, 1), pause))).toBeUndefined();
});

test("what touches at a corner is one region", async () => {
  for (const mask of masks) {
    const { sizes } = await regionsOf(await runsOf(mask, pause), pause);
    expect(sizes).toEqual(flooded(mask, 1).map(({ length }) => length));
  }
});

test("small holes are filled, then small islands go; the largest of small ones stays", async () => {
  for (const mask of masks)
    for (const area of [1, 3, 9, 10_000]) {
      const cleaned = await withoutSmallRegions(await runsOf(mask, pause), area, pause);
      expect(maskOf(cleaned)).toEqual(cleanedByPixels(mask, area));
    }
});

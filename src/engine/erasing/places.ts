// Where a mask is worked on: parts of a picture that hold masked pixels with what surrounds them.
import type { Pause } from "../pause.ts";
import { regionsOf } from "../segmentation/regions.ts";
import { collectRuns, type Mask, type Runs, runsOf } from "../segmentation/runs.ts";

export type Size = { width: number; height: number };
export type Rectangle = Size & { left: number; top: number };

/** What to fill, and the part of the picture that is looked at for it. */
export type Place = { gaps: Runs; part: Rectangle };

/** Of the part's edge, what surrounds the pixels at each side at least: a network fills from what it sees around. */
const AROUND = 1 / 6;

/**
 * Parts of a picture that hold all pixels of the mask. `edge`: what a network sees at once, in pixels; parts are as large
 * where that is enough, larger for larger gaps, and never larger than the picture. Gaps that fit into one part share it.
 */
export async function placesOf(mask: Mask, edge: number, pause: Pause): Promise<Place[]> {
  const room = Math.floor(edge * (1 - 2 * AROUND));
  const groups: Gap[] = [];
  const groupOf: Gap[] = [];
  const runs = await runsOf(mask, pause);
  const { of, sizes } = await regionsOf(runs, pause);
  for (const gap of boxesOf(runs, of, sizes.length)) {
    await pause();
    const joined = groups.find(({ box }) => longest(union(box, gap)) <= room);
    if (joined) joined.box = union(joined.box, gap);
    const group = joined ?? { box: gap, runs: collectRuns(mask) };
    if (!joined) groups.push(group);
    groupOf.push(group);
  }
  for (const [run, region] of of.entries()) groupOf[region]?.runs.add(runs.from[run] ?? 0, runs.to[run] ?? 0);
  return groups.map(({ runs, box }) => ({ gaps: runs.runs(), part: partAround(box, mask, edge) }));
}

type Gap = { box: Rectangle; runs: ReturnType<typeof collectRuns> };

function partAround(box: Rectangle, picture: Size, edge: number): Rectangle {
  const wished = Math.max(edge, Math.ceil(longest(box) / (1 - 2 * AROUND)));
  const [width, height] = [Math.min(wished, picture.width), Math.min(wished, picture.height)];
  const within = (centre: number, length: number, most: number) =>
    Math.min(Math.max(0, Math.floor(centre - length / 2)), most - length);
  return {
    left: within(box.left + box.width / 2, width, picture.width),
    top: within(box.top + box.height / 2, height, picture.height),
    ...{ width, height },
  };
}

const longest = ({ width, height }: Size) => Math.max(width, height);

/** Of each region. */
function boxesOf({ from, to, width }: Runs, regions: Uint32Array, count: number): Rectangle[] {
  const edges = Array.from({ length: count }, () => ({ left: width, top: Infinity, right: 0, bottom: 0 }));
  for (const [run, region] of regions.entries()) {
    const box = edges[region];
    if (!box) continue;
    const [begin, end] = [from[run] ?? 0, (to[run] ?? 1) - 1];
    box.left = Math.min(box.left, begin % width);
    box.right = Math.max(box.right, (end % width) + 1);
    box.top = Math.min(box.top, Math.floor(begin / width));
    box.bottom = Math.floor(begin / width) + 1;
  }
  return edges.map(({ left, top, right, bottom }) => ({ left, top, width: right - left, height: bottom - top }));
}

function union(a: Rectangle, b: Rectangle): Rectangle {
  const [left, top] = [Math.min(a.left, b.left), Math.min(a.top, b.top)];
  const right = Math.max(a.left + a.width, b.left + b.width);
  const bottom = Math.max(a.top + a.height, b.top + b.height);
  return { left, top, width: right - left, height: bottom - top };
}

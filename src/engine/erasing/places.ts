// Where a mask is worked on: parts of a picture that hold masked pixels with what surrounds them. Pure.
import { type Mask, regionsOf } from "../segmentation/regions.ts";

export type Size = { width: number; height: number };
export type Rectangle = Size & { left: number; top: number };

/** Pixels to fill, and the part of the picture that is looked at for them. */
export type Place = { pixels: number[]; part: Rectangle };

/** Of the part's edge, what surrounds the pixels at each side at least: a network fills from what it sees around. */
const AROUND = 1 / 6;

/**
 * Parts of a picture that hold all pixels of the mask. `edge`: what a network sees at once, in pixels; parts are as large
 * where that is enough, larger for larger gaps, and never larger than the picture. Gaps that fit into one part share it.
 */
export function placesOf(mask: Mask, edge: number): Place[] {
  const gaps = regionsOf(mask, 1).map((pixels) => ({ pixels, box: boxOf(pixels, mask.width) }));
  const room = Math.floor(edge * (1 - 2 * AROUND));
  const groups: typeof gaps = [];
  for (const gap of gaps) {
    const joined = groups.find(({ box }) => longest(union(box, gap.box)) <= room);
    if (!joined) {
      groups.push({ pixels: [...gap.pixels], box: gap.box });
      continue;
    }
    for (const at of gap.pixels) joined.pixels.push(at);
    joined.box = union(joined.box, gap.box);
  }
  return groups.map(({ pixels, box }) => ({ pixels, part: partAround(box, mask, edge) }));
}

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

function boxOf(pixels: readonly number[], width: number): Rectangle {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  }
  return { left, top, width: right - left, height: bottom - top };
}

function union(a: Rectangle, b: Rectangle): Rectangle {
  const [left, top] = [Math.min(a.left, b.left), Math.min(a.top, b.top)];
  const right = Math.max(a.left + a.width, b.left + b.width);
  const bottom = Math.max(a.top + a.height, b.top + b.height);
  return { left, top, width: right - left, height: bottom - top };
}

// Rectangles that may be turned: the smallest around some points, larger by a margin, and what a picture shows in one.
import type { Pixels } from "../../core/pipeline.ts";

export type Point = { x: number; y: number };

/** `across` and `down` are of length 1 and at right angles; `across` points more to the right than up or down. */
export type Rectangle = { centre: Point; across: Point; down: Point; width: number; height: number };

/** Of the smallest area: one side lies on an edge of the hull. Undefined for no points. */
export function smallestAround(points: readonly Point[]): Rectangle | undefined {
  const hull = hullOf(points);
  let best: Rectangle | undefined;
  for (const [i, from] of hull.entries()) {
    const to = hull[(i + 1) % hull.length] ?? from;
    const rectangle = along(hull, axisOf(from, to));
    if (!best || rectangle.width * rectangle.height < best.width * best.height) best = rectangle;
  }
  return best;
}

/** The direction of an edge, turned by right angles until it points to the right. */
function axisOf(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  let axis = length === 0 ? { x: 1, y: 0 } : { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  while (axis.x <= 0 || axis.y <= -axis.x || axis.y > axis.x) axis = { x: -axis.y, y: axis.x };
  return axis;
}

function along(points: readonly Point[], across: Point): Rectangle {
  const down = { x: -across.y, y: across.x };
  const [left, right] = extent(points, across);
  const [top, bottom] = extent(points, down);
  const [u, v] = [(left + right) / 2, (top + bottom) / 2];
  const centre = { x: across.x * u + down.x * v, y: across.y * u + down.y * v };
  return { centre, across, down, width: right - left, height: bottom - top };
}

function extent(points: readonly Point[], { x, y }: Point): [number, number] {
  const places = points.map((point) => point.x * x + point.y * y);
  return [Math.min(...places), Math.max(...places)];
}

/** Andrew's monotone chain; corners in their order around. */
function hullOf(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  const half = (ordered: readonly Point[]) => {
    const chain: Point[] = [];
    for (const point of ordered) {
      while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

const turn = (a: Point = ORIGIN, b: Point = ORIGIN, c: Point) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
const ORIGIN: Point = { x: 0, y: 0 };

export const larger = (rectangle: Rectangle, margin: number): Rectangle => ({
  ...rectangle,
  width: rectangle.width + 2 * margin,
  height: rectangle.height + 2 * margin,
});

/** Left above, right above, right below, left below. */
export function cornersOf({ centre, across, down, width, height }: Rectangle): [Point, Point, Point, Point] {
  const at = (u: number, v: number) => ({
    x: centre.x + (across.x * u * width + down.x * v * height) / 2,
    y: centre.y + (across.y * u * width + down.y * v * height) / 2,
  });
  return [at(-1, -1), at(1, -1), at(1, 1), at(-1, 1)];
}

/** The same with the picture's edges stretched: `x` and `y` are how many times larger it becomes. */
export function scaled(rectangle: Rectangle, x: number, y: number): Rectangle {
  const [a, b, , d] = cornersOf(rectangle).map((point) => ({ x: point.x * x, y: point.y * y }));
  if (!a || !b || !d) return rectangle;
  const [width, height] = [Math.hypot(b.x - a.x, b.y - a.y), Math.hypot(d.x - a.x, d.y - a.y)];
  const unit = (to: Point, length: number) =>
    length === 0 ? { x: 1, y: 0 } : { x: (to.x - a.x) / length, y: (to.y - a.y) / length };
  const centre = { x: rectangle.centre.x * x, y: rectangle.centre.y * y };
  return { centre, across: unit(b, width), down: unit(d, height), width, height };
}

/** Turned by a right angle, counter-clockwise: what ran down runs to the right. */
export const turned = ({ centre, across, down, width, height }: Rectangle): Rectangle => ({
  centre,
  across: down,
  down: { x: -across.x, y: -across.y },
  width: height,
  height: width,
});

/** What lies in the rectangle, upright. Between pixels it is interpolated; beyond the picture its edge goes on. */
export function straighten(pixels: Pixels, { centre, across, down, width, height }: Rectangle): Pixels {
  const size = { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) };
  const { channels } = pixels;
  const data = new Uint8Array(size.width * size.height * channels);
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++) {
      const [u, v] = [((x + 0.5) / size.width - 0.5) * width, ((y + 0.5) / size.height - 0.5) * height];
      const at = { x: centre.x + across.x * u + down.x * v - 0.5, y: centre.y + across.y * u + down.y * v - 0.5 };
      for (let c = 0; c < channels; c++) data[(y * size.width + x) * channels + c] = Math.round(valueAt(pixels, at, c));
    }
  return { data, ...size, channels };
}

function valueAt({ data, width, height, channels }: Pixels, { x, y }: Point, channel: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const at = (column: number, row: number) => {
    const i = Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column));
    return data[i * channels + channel] ?? 0;
  };
  const upper = at(left, top) + (x - left) * (at(left + 1, top) - at(left, top));
  const lower = at(left, top + 1) + (x - left) * (at(left + 1, top + 1) - at(left, top + 1));
  return upper + (y - top) * (lower - upper);
}

// Where lines of text are, from a map that says of each place how likely it belongs to one: the way of PP-OCR's
// detector (M. Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2019).
import { larger, type Point, type Rectangle, smallestAround } from "./rectangle.ts";

export type Shares = { values: Float32Array; width: number; height: number };

/** PaddleOCR's, tools/infer: det_db_thresh, det_db_box_thresh, det_db_unclip_ratio, and the smallest edges it keeps. */
const TEXT_FROM = 0.3;
const SURE_FROM = 0.6;
const UNCLIP = 1.5;
const SHORTEST_EDGE = 3;
const SHORTEST_UNCLIPPED = 5;
const MOST_REGIONS = 1000;

/** In the map's pixels, no order. The network is trained on lines that are shrunk: they are widened again. */
export function regionsOf(map: Shares): Rectangle[] {
  return patchesOf(map)
    .slice(0, MOST_REGIONS)
    .flatMap((patch) => {
      const core = smallestAround(patch);
      if (!core || Math.min(core.width, core.height) < SHORTEST_EDGE || meanIn(map, core) < SURE_FROM) return [];
      const margin = (core.width * core.height * UNCLIP) / (2 * (core.width + core.height));
      const region = larger(core, margin);
      return Math.min(region.width, region.height) < SHORTEST_UNCLIPPED ? [] : [region];
    });
}

/** Outlines of what hangs together, corner to corner counted, of what is likely text. */
function patchesOf({ values, width, height }: Shares): Point[][] {
  const isText = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && (values[y * width + x] ?? 0) > TEXT_FROM;
  const seen = new Uint8Array(values.length);
  const patches: Point[][] = [];
  for (let start = 0; start < values.length; start++) {
    if (seen[start] || (values[start] ?? 0) <= TEXT_FROM) continue;
    const outline: Point[] = [];
    const open = [start];
    seen[start] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      let inside = true;
      for (const [dx, dy] of AROUND) {
        if (!isText(x + dx, y + dy)) {
          inside = false;
          continue;
        }
        const next = at + dy * width + dx;
        if (!seen[next]) open.push(next);
        seen[next] = 1;
      }
      if (!inside) outline.push({ x, y });
    }
    patches.push(outline);
  }
  return patches;
}

const AROUND = [-1, 0, 1]
  .flatMap((dy) => [-1, 0, 1].map((dx) => [dx, dy] as const))
  .filter(([dx, dy]) => dx !== 0 || dy !== 0);

function meanIn({ values, width, height }: Shares, { centre, across, down, ...size }: Rectangle): number {
  const reach = Math.hypot(size.width, size.height) / 2;
  let [sum, count] = [0, 0];
  for (let y = Math.max(0, Math.floor(centre.y - reach)); y <= Math.min(height - 1, centre.y + reach); y++)
    for (let x = Math.max(0, Math.floor(centre.x - reach)); x <= Math.min(width - 1, centre.x + reach); x++) {
      const [dx, dy] = [x - centre.x, y - centre.y];
      if (Math.abs(dx * across.x + dy * across.y) > size.width / 2 + EDGE) continue;
      if (Math.abs(dx * down.x + dy * down.y) > size.height / 2 + EDGE) continue;
      sum += values[y * width + x] ?? 0;
      count++;
    }
  return count === 0 ? 0 : sum / count;
}

/** Pixels whose centres lie on an edge belong to it. */
const EDGE = 1e-6;

/** Lines whose upper edges differ by less count as one row; PaddleOCR's `sorted_boxes`. */
const ROW = 10;

/** As they are read: row by row, from left to right. Regions are in the picture's pixels. */
export function inReadingOrder(regions: readonly Rectangle[]): Rectangle[] {
  const placed = regions.map((region) => {
    const [left, top] = [
      region.centre.x - (Math.abs(region.across.x) * region.width + Math.abs(region.down.x) * region.height) / 2,
      region.centre.y - (Math.abs(region.across.y) * region.width + Math.abs(region.down.y) * region.height) / 2,
    ];
    return { region, left, top };
  });
  const rows: (typeof placed)[] = [];
  for (const each of placed.toSorted((a, b) => a.top - b.top)) {
    const row = rows.at(-1);
    if (row?.[0] && each.top - row[0].top < ROW) row.push(each);
    else rows.push([each]);
  }
  return rows.flatMap((row) => row.toSorted((a, b) => a.left - b.left).map(({ region }) => region));
}

// Connected parts of a mask: small holes are filled and small islands taken away.
import { inPieces, type Pause } from "../pause.ts";
import { inverted, type Runs, united } from "./runs.ts";

/**
 * Fills holes of less than `area` pixels, then takes away islands of less; of islands that are all small the largest
 * stays. Pixels that touch at a corner belong together. As `remove_small_regions` in SAM's amg.py.
 */
export async function withoutSmallRegions(mask: Runs, area: number, pause: Pause): Promise<Runs> {
  if (area <= 0) return mask;
  const ground = inverted(mask);
  const holes = await regionsOf(ground, pause);
  const filled = united(
    mask,
    only(ground, holes, (size) => size < area),
  );
  const islands = await regionsOf(filled, pause);
  if (islands.sizes.every((size) => size >= area)) return filled;
  if (islands.sizes.some((size) => size >= area)) return only(filled, islands, (size) => size >= area);
  const largest = islands.sizes.reduce((best, size, region) => (size > (islands.sizes[best] ?? 0) ? region : best), 0);
  return only(filled, islands, (_, region) => region === largest);
}

/** Of each stretch the number of its region, in the order of their first pixels; pixels of each region. */
export type Regions = { of: Uint32Array; sizes: number[] };

/** Pixels that touch at a corner belong together. */
export async function regionsOf({ from, to, width }: Runs, pause: Pause): Promise<Regions> {
  const parents = Uint32Array.from(from, (_, i) => i);
  const rootOf = (run: number) => {
    let root = run;
    while (parents[root] !== root) root = parents[root] ?? 0;
    for (let at = run; at !== root; ) [at, parents[at]] = [parents[at] ?? 0, root];
    return root;
  };
  let above = 0;
  await inPieces({ rows: from.length, size: 1, pause }, (begin, end) => {
    for (let run = begin; run < end; run++) {
      // In the row above, one to the left and one to the right still touch.
      const first = Math.max(0, (from[run] ?? 0) - width);
      const last = (to[run] ?? 0) - width;
      const [rowAbove, row] = [Math.floor(first / width), Math.floor((from[run] ?? 0) / width)];
      if (row === 0) continue;
      while (above < run && ((to[above] ?? 0) < first || Math.floor((from[above] ?? 0) / width) < rowAbove)) above++;
      for (let other = above; other < run && (from[other] ?? 0) <= last; other++) {
        if (Math.floor((from[other] ?? 0) / width) !== rowAbove) break;
        const [a, b] = [rootOf(run), rootOf(other)];
        parents[Math.max(a, b)] = Math.min(a, b);
      }
    }
  });
  const sizes: number[] = [];
  const of = new Uint32Array(from.length);
  for (let run = 0; run < from.length; run++) {
    const root = rootOf(run);
    const region = root === run ? sizes.push(0) - 1 : (of[root] ?? 0);
    of[run] = region;
    sizes[region] = (sizes[region] ?? 0) + (to[run] ?? 0) - (from[run] ?? 0);
  }
  return { of, sizes };
}

function only(runs: Runs, { of, sizes }: Regions, isKept: (size: number, region: number) => boolean): Runs {
  const kept = sizes.map(isKept);
  const chosen = (_: number, run: number) => kept[of[run] ?? 0] === true;
  return { ...runs, from: runs.from.filter(chosen), to: runs.to.filter(chosen) };
}

// Connected parts of a mask: small holes are filled and small islands taken away.

/** 1 where the mask is, row by row. */
export type Mask = { data: Uint8Array; width: number; height: number };

/**
 * Fills holes of less than `area` pixels, then takes away islands of less; of islands that are all small the largest
 * stays. Pixels that touch at a corner belong together. As `remove_small_regions` in SAM's amg.py.
 */
export function withoutSmallRegions(mask: Mask, area: number): Mask {
  if (area <= 0) return mask;
  const filled = { ...mask, data: mask.data.slice() };
  for (const hole of regionsOf(mask, 0)) if (hole.length < area) for (const at of hole) filled.data[at] = 1;
  const islands = regionsOf(filled, 1);
  if (islands.every((each) => each.length >= area)) return filled;
  const kept = islands.filter((each) => each.length >= area);
  const [largest] = islands.toSorted((a, b) => b.length - a.length);
  const cleaned = new Uint8Array(mask.data.length);
  for (const island of kept.length > 0 || !largest ? kept : [largest]) for (const at of island) cleaned[at] = 1;
  return { ...mask, data: cleaned };
}

/** Positions of each connected part with this value; pixels that touch at a corner belong together. */
export function regionsOf({ data, width, height }: Mask, value: 0 | 1): number[][] {
  const seen = new Uint8Array(data.length);
  const regions: number[][] = [];
  for (let start = 0; start < data.length; start++) {
    if (data[start] !== value || seen[start]) continue;
    seen[start] = 1;
    const region = [start];
    for (let next = 0; next < region.length; next++) {
      const at = region[next] ?? 0;
      const [x, y] = [at % width, Math.floor(at / width)];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const other = v * width + u;
          if (seen[other] || data[other] !== value) continue;
          seen[other] = 1;
          region.push(other);
        }
    }
    regions.push(region);
  }
  return regions;
}

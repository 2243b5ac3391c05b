// Non-maximum suppression: of boxes that lie on each other, the best one.
import type { Candidate } from "./candidates.ts";

type Rules = {
  /** Share of two boxes' union that they may have in common. */
  iou: number;
  /** How many are kept. */
  max: number;
};

/** Best first. Boxes of different classes do not suppress each other. */
export function suppress(candidates: readonly Candidate[], { iou, max }: Rules): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score)) {
    if (kept.length >= max) break;
    if (!kept.some((each) => each.label === candidate.label && overlap(each, candidate) > iou)) kept.push(candidate);
  }
  return kept;
}

/** Edges of a box, in any unit. */
export type Edges = Pick<Candidate, "left" | "top" | "right" | "bottom">;

/** Share of their union that two boxes have in common. */
export function overlap(a: Edges, b: Edges): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

const area = ({ left, top, right, bottom }: Edges) => (right - left) * (bottom - top);

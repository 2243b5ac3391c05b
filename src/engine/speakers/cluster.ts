// Which points belong together: agglomerative clustering by the distance of centres, as SciPy's linkage(method="centroid").
import type { Pause } from "../pause.ts";

type Node = {
  /** Clusters that became it; absent for a point. */
  parts?: readonly [Node, Node];
  points: readonly number[];
  centre: Float64Array;
  /** The largest distance at which it or any part of it came together: centres may come closer again. */
  height: number;
};

export type Cut = { distance: number } | { count: number };

/**
 * For each point the number of its cluster, from 0, in the order of the points. `distance`: what came together at most so
 * far from each other; `count`: at most so many clusters, at the smallest distance that has no more (SciPy's fcluster).
 */
export async function cluster(points: readonly Float32Array[], cut: Cut, pause: Pause): Promise<number[]> {
  const root = await treeOf(points, pause);
  if (!root) return [];
  const threshold = "distance" in cut ? cut.distance : thresholdFor(root, Math.max(1, cut.count));
  const numbers = new Array<number>(points.length).fill(0);
  const roots = rootsBelow(root, threshold).toSorted((a, b) => (a.points[0] ?? 0) - (b.points[0] ?? 0));
  for (const [number, node] of roots.entries()) for (const point of node.points) numbers[point] = number;
  return numbers;
}

/** Each time the two whose centres are nearest; of equals the first ones. */
async function treeOf(points: readonly Float32Array[], pause: Pause): Promise<Node | undefined> {
  const nodes = points.map((point, i): Node => ({ points: [i], centre: Float64Array.from(point), height: 0 }));
  const distances: Float64Array[] = [];
  for (const a of nodes) {
    distances.push(Float64Array.from(nodes, (b) => squared(a.centre, b.centre)));
    await pause();
  }
  let alive = nodes.map((_, i) => i);
  // Of each the nearest one behind it: looking for it anew in all rows at each merge would take the cube of their number.
  const nearest = alive.map((i) => nearestBehind(i, alive, distances));
  while (alive.length > 1) {
    const i = alive.reduce((best, each) => (apartOf(nearest[each]) < apartOf(nearest[best]) ? each : best));
    const { at: j, apart } = nearest[i] ?? NONE;
    const [a, b] = [nodes[i], nodes[j]];
    if (!a || !b) return undefined;
    const merged = together(a, b, Math.sqrt(apart));
    nodes[i] = merged;
    alive = alive.filter((each) => each !== j);
    for (const other of alive) {
      const [node, own, its] = [nodes[other], distances[i], distances[other]];
      if (other === i || !node || !own || !its) continue;
      own[other] = its[i] = squared(merged.centre, node.centre);
    }
    for (const other of alive) {
      const known = nearest[other] ?? NONE;
      const now = distances[other]?.[i] ?? Infinity;
      const isLost = other === i || known.at === i || known.at === j;
      if (isLost) nearest[other] = nearestBehind(other, alive, distances);
      else if (other < i && (now < known.apart || (now === known.apart && i < known.at)))
        nearest[other] = { at: i, apart: now };
    }
    await pause();
  }
  return nodes[alive[0] ?? -1];
}

type Near = { at: number; apart: number };
const NONE: Near = { at: -1, apart: Infinity };
const apartOf = ({ apart }: Near = NONE) => apart;

/** Of those that come after it. */
function nearestBehind(i: number, alive: readonly number[], distances: readonly Float64Array[]): Near {
  const row = distances[i];
  let best = NONE;
  for (const at of alive) {
    const apart = row?.[at] ?? Infinity;
    if (at > i && apart < best.apart) best = { at, apart };
  }
  return best;
}

function together(a: Node, b: Node, distance: number): Node {
  const [m, n] = [a.points.length, b.points.length];
  const centre = a.centre.map((value, i) => (m * value + n * (b.centre[i] ?? 0)) / (m + n));
  const points = [...a.points, ...b.points].sort((x, y) => x - y);
  return { parts: [a, b], points, centre, height: Math.max(distance, a.height, b.height) };
}

function rootsBelow(node: Node, threshold: number): Node[] {
  if (!node.parts || node.height <= threshold) return [node];
  return node.parts.flatMap((part) => rootsBelow(part, threshold));
}

function thresholdFor(root: Node, count: number): number {
  const heights = heightsOf(root).sort((a, b) => a - b);
  return heights.find((height) => rootsBelow(root, height).length <= count) ?? root.height;
}

const heightsOf = (node: Node): number[] => (node.parts ? [node.height, ...node.parts.flatMap(heightsOf)] : [0]);

export function squared(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum;
}

/** Of length 1; a vector of zeros stays one. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

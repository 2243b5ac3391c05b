// Which points belong together: agglomerative clustering by the distance of centres, as SciPy's linkage(method="centroid").

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
export function cluster(points: readonly Float32Array[], cut: Cut): number[] {
  const root = treeOf(points);
  if (!root) return [];
  const threshold = "distance" in cut ? cut.distance : thresholdFor(root, Math.max(1, cut.count));
  const numbers = new Array<number>(points.length).fill(0);
  const roots = rootsBelow(root, threshold).toSorted((a, b) => (a.points[0] ?? 0) - (b.points[0] ?? 0));
  for (const [number, node] of roots.entries()) for (const point of node.points) numbers[point] = number;
  return numbers;
}

/** Each time the two whose centres are nearest. */
function treeOf(points: readonly Float32Array[]): Node | undefined {
  let nodes = points.map((point, i): Node => ({ points: [i], centre: Float64Array.from(point), height: 0 }));
  const distances = nodes.map((a) => Float64Array.from(nodes, (b) => squared(a.centre, b.centre)));
  let alive = nodes.map((_, i) => i);
  nodes = [...nodes];
  while (alive.length > 1) {
    const [i, j] = nearest(alive, distances);
    const [a, b] = [nodes[i], nodes[j]];
    if (!a || !b) return undefined;
    const merged = together(a, b, Math.sqrt(distances[i]?.[j] ?? 0));
    nodes[i] = merged;
    alive = alive.filter((each) => each !== j);
    for (const other of alive) {
      const centre = nodes[other]?.centre;
      if (other === i || !centre) continue;
      const apart = squared(merged.centre, centre);
      for (const [row, column] of [
        [i, other],
        [other, i],
      ] as const) {
        const line = distances[row];
        if (line) line[column] = apart;
      }
    }
  }
  return nodes[alive[0] ?? -1];
}

function nearest(alive: readonly number[], distances: readonly Float64Array[]): [number, number] {
  let [best, pair]: [number, [number, number]] = [Infinity, [alive[0] ?? 0, alive[1] ?? 0]];
  for (const [at, i] of alive.entries()) {
    const row = distances[i];
    for (let k = at + 1; k < alive.length; k++) {
      const j = alive[k] ?? 0;
      const apart = row?.[j] ?? Infinity;
      if (apart < best) [best, pair] = [apart, [i, j]];
    }
  }
  return pair;
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

// Facts of a mesh that do not depend on the order of its triangles.
import type { Mesh } from "../../../src/engine/mesh/mesh.ts";

type Surface = Pick<Mesh, "positions" | "indices">;

/** Directed edges whose opposite does not occur just as often, once: none where a surface is closed and wound one way. */
export function openEdges({ positions, indices }: Surface): number {
  const count = positions.length / 3;
  const edges = new Map<number, number>();
  for (let i = 0; i < indices.length; i += 3)
    for (let side = 0; side < 3; side++) {
      const [from = 0, to = 0] = [indices[i + side], indices[i + ((side + 1) % 3)]];
      edges.set(from * count + to, (edges.get(from * count + to) ?? 0) + 1);
    }
  let open = 0;
  for (const [edge, times] of edges) {
    const opposite = (edge % count) * count + Math.floor(edge / count);
    if (times !== 1 || edges.get(opposite) !== 1) open++;
  }
  return open;
}

/** Positive where triangles are counter-clockwise as seen from outside. */
export function measuresOf({ positions, indices }: Surface): { area: number; volume: number } {
  let [area, volume] = [0, 0];
  const corner = (i: number) => [0, 1, 2].map((axis) => positions[(indices[i] ?? 0) * 3 + axis] ?? 0);
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [corner(i), corner(i + 1), corner(i + 2)];
    area += Math.hypot(...cross(minus(b, a), minus(c, a))) / 2;
    volume += dot(a, cross(b, c)) / 6;
  }
  return { area, volume };
}

const minus = (a: number[], b: number[]) => a.map((each, i) => each - (b[i] ?? 0));
const dot = (a: number[], b: number[]) => a.reduce((sum, each, i) => sum + each * (b[i] ?? 0), 0);
const cross = ([ax = 0, ay = 0, az = 0]: number[], [bx = 0, by = 0, bz = 0]: number[]) => [
  ay * bz - az * by,
  az * bx - ax * bz,
  ax * by - ay * bx,
];

/** How far the nearest vertex is, and which. */
export function nearest({ positions }: Pick<Mesh, "positions">, [x = 0, y = 0, z = 0]: readonly number[]) {
  let best = { distance: Infinity, vertex: -1 };
  for (let i = 0; i < positions.length; i += 3) {
    const distance = Math.hypot((positions[i] ?? 0) - x, (positions[i + 1] ?? 0) - y, (positions[i + 2] ?? 0) - z);
    if (distance < best.distance) best = { distance, vertex: i / 3 };
  }
  return best;
}

// How a surface passes through one cube of a grid, for each of the 256 ways in which its corners can be inside or outside.
// Made here by one rule, not read off a table, so that surfaces close: what happens on a face of the cube depends on the
// corners of that face alone, and two inner corners that touch only diagonally are kept apart, from both of its sides.

/** Corner c lies at x = bit 0, y = bit 1, z = bit 2 of c. Each edge goes along an axis from its lower corner. */
export type CubeEdge = { axis: 0 | 1 | 2; from: number; to: number };

const AXES = [0, 1, 2] as const;

export const CUBE_EDGES: readonly CubeEdge[] = AXES.flatMap((axis) =>
  [0, 1, 2, 3, 4, 5, 6, 7]
    .filter((corner) => (corner & (1 << axis)) === 0)
    .map((from) => ({ axis, from, to: from | (1 << axis) })),
);

const edgeBetween = (a: number, b: number): number =>
  CUBE_EDGES.findIndex(({ from, to }) => (from === a && to === b) || (from === b && to === a));

/** The corners of each face, counter-clockwise as seen from outside of the cube. */
const FACES: readonly (readonly number[])[] = AXES.flatMap((axis) => {
  const [u, v] = [1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3)];
  const far = 1 << axis;
  return [
    [0, v, u | v, u],
    [far, far | u, far | u | v, far | v],
  ];
});

/** From the edge by which the way around a face comes inside to the one by which it leaves: as each face says it of its edges. */
function segmentsOf(inside: number): Map<number, number> {
  const isInside = (corner: number | undefined) => corner !== undefined && (inside & (1 << corner)) !== 0;
  const next = new Map<number, number>();
  for (const face of FACES) {
    const around = (i: number) => face[i % 4] ?? 0;
    for (let i = 0; i < 4; i++) {
      if (isInside(around(i)) || !isInside(around(i + 1))) continue;
      let last = i + 1;
      while (isInside(around(last + 1))) last++;
      next.set(edgeBetween(around(i), around(i + 1)), edgeBetween(around(last), around(last + 1)));
    }
  }
  return next;
}

function loopsOf(next: Map<number, number>): number[][] {
  const loops: number[][] = [];
  const left = new Set(next.keys());
  for (const first of left) {
    const loop: number[] = [];
    for (let edge = first; left.delete(edge); edge = next.get(edge) ?? first) loop.push(edge);
    loops.push(loop);
  }
  return loops;
}

const shareFace = (a: number, b: number): boolean => {
  const corners = [a, b].flatMap((edge) => [CUBE_EDGES[edge]?.from ?? 0, CUBE_EDGES[edge]?.to ?? 0]);
  return FACES.some((face) => corners.every((corner) => face.includes(corner)));
};

/** All ways to cut a polygon into triangles. */
function* cuts(loop: readonly number[]): Generator<number[][]> {
  const [first = 0, last = 0] = [loop[0], loop.at(-1)];
  if (loop.length < 3) yield [];
  for (let at = 1; at < loop.length - 1; at++)
    for (const before of cuts(loop.slice(0, at + 1)))
      for (const after of cuts(loop.slice(at))) yield [...before, [first, loop[at] ?? 0, last], ...after];
}

/**
 * The first cut none of whose new edges lies in a face of the cube: there the cube beside it might have the same one, and
 * four triangles would meet in it.
 */
function trianglesOf(loop: readonly number[]): number[][] {
  const sides = new Set(loop.map((edge, i) => `${edge},${loop[(i + 1) % loop.length]}`));
  const isSide = (a: number, b: number) => sides.has(`${a},${b}`) || sides.has(`${b},${a}`);
  const isApart = (triangle: readonly number[]) =>
    triangle.every((a, i) => {
      const b = triangle[(i + 1) % 3] ?? 0;
      return isSide(a, b) || !shareFace(a, b);
    });
  for (const cut of cuts(loop)) if (cut.every(isApart)) return cut;
  throw new RangeError(`a polygon through the edges ${loop} of a cube can be cut inside of the cube`);
}

/**
 * For each case, whose bit c says that corner c is inside: three edges for each triangle, counter-clockwise from outside.
 * Takes some milliseconds, so that nobody should wait for it who makes no mesh.
 */
export const cubeCases = (): Uint8Array[] =>
  Array.from({ length: 256 }, (_, inside) => Uint8Array.from(loopsOf(segmentsOf(inside)).flatMap(trianglesOf).flat()));

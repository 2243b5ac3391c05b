// A density in a cube, on a regular grid of which only the neighbourhood of one level's surface is looked at in full: a
// coarse grid says where that is, and each next one, twice as fine, where within it.
import { invariant } from "../../core/errors.ts";
import type { Pause } from "../pause.ts";
import { BRICK, createSparseGrid, type SparseGrid } from "./sparse-grid.ts";

export type Search = {
  /** Points of the grid along an edge of the cube. */
  resolution: number;
  /** Inside is what is at least as dense. */
  level: number;
  /** Densities at points, x, y, z of each from 0 to 1 in the cube. */
  sample(points: Float32Array): Promise<Float32Array>;
  pause: Pause;
};

/** From the coarsest grid to the finest: a point of that has a value of its own or that of the coarser one before it. */
export type DensityField = { grids: SparseGrid[]; level: number };

/** Grids up to this size are looked at in full; beyond it a thing that is thinner than a cell of such a grid may be missed. */
const COARSEST = 129;
/** Less than the level by this factor is still near to the surface: thin things show between the points of a coarse grid. */
const NEAR = 0.1;
/** Points that are asked for at once: a decoder takes some kilobytes for each. */
const CHUNK = 65_536;

/** Yields how much is done, as a share, after every chunk: there the caller may stop. */
export async function* sampleField({ resolution, level, sample, pause }: Search): AsyncGenerator<number, DensityField> {
  const strides = stridesOf(resolution);
  const last = resolution - 1;
  const field: DensityField = { grids: [], level };
  for (const [at, stride] of strides.entries()) {
    const grid = createSparseGrid(Math.ceil(last / stride) + 1);
    if (at === 0) grid.want([0, 0, 0], [grid.size, grid.size, grid.size]);
    else await wantNear(field, grid, pause);
    field.grids.push(grid);
    const all = grid.outstanding();
    for (const { count, points, write } of grid.wanted(CHUNK)) {
      // The last cell of a coarse grid ends with the cube.
      const places = Float32Array.from(points.subarray(0, count * 3), (each) => Math.min(each * stride, last) / last);
      write(await sample(places));
      yield (at + 1 - grid.outstanding() / all) / strides.length;
    }
  }
  return field;
}

/** Halved until 1, from the first with which the grid is small enough. */
function stridesOf(resolution: number): number[] {
  const strides = [1];
  while ((resolution - 1) / (strides[0] ?? 1) + 1 > COARSEST) strides.unshift((strides[0] ?? 1) * 2);
  return strides;
}

/** Asks for the finer points in all cells that the surface passes or nearly passes, and in those around them. */
async function wantNear(field: DensityField, finer: SparseGrid, pause: Pause): Promise<void> {
  const { level, grids } = field;
  // Once is enough: the cells around those that are passed are looked at too.
  const near = grids.length === 1 ? level * NEAR : level;
  for (const { x, y, z, values, cells } of blocksOf(field, near)) {
    await pause();
    for (const cell of cells) {
      let least = Infinity;
      let most = -Infinity;
      for (const corner of CORNERS) {
        const value = values[cell.at + corner] ?? 0;
        if (value < least) least = value;
        if (value > most) most = value;
      }
      if (least >= level || most < near) continue;
      const [i, j, k] = [2 * (x + cell.x), 2 * (y + cell.y), 2 * (z + cell.z)];
      finer.want([i - 2, j - 2, k - 2], [i + 4, j + 4, k + 4]);
    }
  }
}

/** Points along a brick with the first ones of those after it, which its last cells need. */
const WIDE = BRICK + 1;

/** Where the corners of a cell are in the values of a block, from its lower one; in the order of `cube-cases.ts`. */
export const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map(
  (corner) => (corner & 1) + WIDE * (((corner >> 1) & 1) + WIDE * (corner >> 2)),
);

/** A brick with what lies around it; x, y and z are its lower corner in the finest grid. */
export type Block = {
  x: number;
  y: number;
  z: number;
  /** Good until the next block is taken. */
  values: Float32Array;
  cells: readonly Cell[];
};
/** The lower corner of a cell in its block, and its place in the block's values. */
type Cell = { x: number; y: number; z: number; at: number };

/**
 * All blocks of the finest grid that the surface can pass, from the lowest z on: those with a point that was looked at. A
 * cell without one lies in a coarser cell whose corners are all on the same side. `near`: no block that is less dense.
 */
export function* blocksOf({ grids, level }: DensityField, near = level): Generator<Block> {
  const grid = grids.at(-1);
  invariant(grid, "a field has a grid");
  const values = new Float32Array(WIDE ** 3);
  const cells = new Map<string, readonly Cell[]>();
  for (let bz = 0; bz < grid.bricks; bz++)
    for (let by = 0; by < grid.bricks; by++)
      for (let bx = 0; bx < grid.bricks; bx++) {
        if (!CORNERS_OF_BRICKS.some(([x, y, z]) => hasBrick(grid, bx + x, by + y, bz + z))) continue;
        const [x, y, z] = [bx * BRICK, by * BRICK, bz * BRICK];
        const [across, down, deep] = [grid.size - x, grid.size - y, grid.size - z].map((left) => Math.min(WIDE, left));
        const shape = [across ?? 0, down ?? 0, deep ?? 0] as const;
        const { least, most } = fill(values, { grids, x, y, z, shape });
        if (least >= level || most < near) continue;
        const known = cells.get(shape.join()) ?? cellsWithin(shape);
        cells.set(shape.join(), known);
        yield { x, y, z, values, cells: known };
      }
}

type Shape = readonly [number, number, number];
type Place = { grids: readonly SparseGrid[]; x: number; y: number; z: number; shape: Shape };

function fill(values: Float32Array, { grids, x, y, z, shape: [across, down, deep] }: Place) {
  let least = Infinity;
  let most = -Infinity;
  for (let k = 0; k < deep; k++)
    for (let j = 0; j < down; j++)
      for (let i = 0; i < across; i++) {
        const value = densityAt(grids, x + i, y + j, z + k);
        values[(k * WIDE + j) * WIDE + i] = value;
        if (value < least) least = value;
        if (value > most) most = value;
      }
  return { least, most };
}

/** Of so many points along each axis. */
function cellsWithin([across, down, deep]: Shape): Cell[] {
  const cells: Cell[] = [];
  for (let z = 0; z < deep - 1; z++)
    for (let y = 0; y < down - 1; y++)
      for (let x = 0; x < across - 1; x++) cells.push({ x, y, z, at: (z * WIDE + y) * WIDE + x });
  return cells;
}

const CORNERS_OF_BRICKS = [0, 1, 2, 3, 4, 5, 6, 7].map(
  (corner) => [corner & 1, (corner >> 1) & 1, corner >> 2] as const,
);

const hasBrick = (grid: SparseGrid, x: number, y: number, z: number) =>
  x < grid.bricks && y < grid.bricks && z < grid.bricks && grid.hasBrick(x, y, z);

function densityAt(grids: readonly SparseGrid[], x: number, y: number, z: number): number {
  for (let at = grids.length - 1, shift = 0; at >= 0; at--, shift++) {
    const value = grids[at]?.get(x >> shift, y >> shift, z >> shift) ?? Number.NaN;
    if (!Number.isNaN(value)) return value;
  }
  throw new RangeError("the coarsest grid is whole");
}

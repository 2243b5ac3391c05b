// Values at some points of a cubic grid, kept in bricks where there are any: near a surface there are few among a billion.

/** Points along a brick. */
export const BRICK = 8;
const SHIFT = 3;
const INSIDE = BRICK - 1;

/** Its value is asked for and not there yet. */
const WANTED = Number.POSITIVE_INFINITY;
const NONE = Number.NaN;

type Brick = { values: Float32Array; x: number; y: number; z: number };

/** Where values go that are asked for together: at each point's place in a brick. */
type Chunk = {
  count: number;
  /** x, y, z of each point. */
  points: Int32Array;
  write(values: Float32Array): void;
};

export type SparseGrid = {
  /** Points along an edge. */
  size: number;
  /** Bricks along an edge. */
  bricks: number;
  hasBrick(x: number, y: number, z: number): boolean;
  /** NaN where there is none. */
  get(x: number, y: number, z: number): number;
  /** Asks for all points of a box, both ends in it; what lies beyond the grid is passed over. */
  want(from: readonly [number, number, number], to: readonly [number, number, number]): void;
  /** How many points are asked for and not there yet. */
  outstanding(): number;
  /** Those points, each chunk to be written before the next is taken. */
  wanted(most: number): Generator<Chunk>;
};

export function createSparseGrid(size: number): SparseGrid {
  const bricks = Math.ceil(size / BRICK);
  const places = new Int32Array(bricks ** 3).fill(-1);
  const kept: Brick[] = [];
  let outstanding = 0;
  const placeOf = (x: number, y: number, z: number) => (z * bricks + y) * bricks + x;
  const offsetOf = (x: number, y: number, z: number) =>
    ((((z & INSIDE) << SHIFT) | (y & INSIDE)) << SHIFT) | (x & INSIDE);

  function brickAt(x: number, y: number, z: number): Brick {
    const place = placeOf(x, y, z);
    const found = kept[places[place] ?? -1];
    if (found) return found;
    const made = { values: new Float32Array(BRICK ** 3).fill(NONE), x: x * BRICK, y: y * BRICK, z: z * BRICK };
    places[place] = kept.push(made) - 1;
    return made;
  }

  return {
    size,
    bricks,
    hasBrick: (x, y, z) => (places[placeOf(x, y, z)] ?? -1) >= 0,
    get(x, y, z) {
      const brick = kept[places[placeOf(x >> SHIFT, y >> SHIFT, z >> SHIFT)] ?? -1];
      return brick?.values[offsetOf(x, y, z)] ?? NONE;
    },
    want(from, to) {
      const [left, top, front] = [Math.max(0, from[0]), Math.max(0, from[1]), Math.max(0, from[2])];
      const [right, bottom, back] = [Math.min(size - 1, to[0]), Math.min(size - 1, to[1]), Math.min(size - 1, to[2])];
      for (let z = front; z <= back; z++)
        for (let y = top; y <= bottom; y++)
          for (let x = left; x <= right; x++) {
            const { values } = brickAt(x >> SHIFT, y >> SHIFT, z >> SHIFT);
            const offset = offsetOf(x, y, z);
            if (!Number.isNaN(values[offset])) continue;
            values[offset] = WANTED;
            outstanding++;
          }
    },
    outstanding: () => outstanding,
    *wanted(most) {
      const points = new Int32Array(most * 3);
      const owners: Brick[] = [];
      const offsets = new Int32Array(most);
      let count = 0;
      const write = (given: Float32Array) => {
        for (let i = 0; i < count; i++) {
          const owner = owners[i];
          // A value that no number says, or none that is finite, must not count as asked for again.
          if (owner) owner.values[offsets[i] ?? 0] = Math.min(given[i] || 0, 3e38);
        }
        outstanding -= count;
        owners.length = 0;
        count = 0;
      };
      for (const brick of kept)
        for (let offset = 0; offset < brick.values.length; offset++) {
          if (brick.values[offset] !== WANTED) continue;
          points[count * 3] = brick.x + (offset & INSIDE);
          points[count * 3 + 1] = brick.y + ((offset >> SHIFT) & INSIDE);
          points[count * 3 + 2] = brick.z + (offset >> (2 * SHIFT));
          offsets[count] = offset;
          owners.push(brick);
          if (++count === most) yield { count, points, write };
        }
      if (count > 0) yield { count, points, write };
    },
  };
}

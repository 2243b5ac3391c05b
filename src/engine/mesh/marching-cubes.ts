// Triangles along one level of a density (W. Lorensen and H. Cline, "Marching Cubes", SIGGRAPH 1987).
import type { Pause } from "../pause.ts";
import { CUBE_EDGES, cubeCases } from "./cube-cases.ts";
import { type Block, blocksOf, CORNERS, type DensityField } from "./density-field.ts";
import { growing } from "./growing.ts";
import type { Mesh } from "./mesh.ts";
import { BRICK } from "./sparse-grid.ts";

type Vertices = Map<number, number>;

/**
 * Where the density falls below the field's level, in places of its finest grid; counter-clockwise as seen from where it
 * is less dense. Each vertex is there once, so that the surface is closed, but where it leaves the grid.
 */
export async function marchingCubes(field: DensityField, pause: Pause): Promise<Pick<Mesh, "positions" | "indices">> {
  const cases = cubeCases();
  const size = field.grids.at(-1)?.size ?? 0;
  const positions = growing(Float32Array);
  const indices = growing(Uint32Array);
  // Blocks come layer by layer: only two layers share vertices.
  let here: Vertices = new Map();
  let above: Vertices = new Map();
  let layer = 0;
  const state = { cases, size, level: field.level, positions, indices };
  for (const block of blocksOf(field)) {
    await pause();
    if (block.z !== layer) {
      here = block.z === layer + BRICK ? above : new Map();
      above = new Map();
      layer = block.z;
    }
    marchBlock(block, { ...state, here, above });
  }
  return { positions: positions.whole(), indices: indices.whole() };
}

type March = {
  cases: readonly Uint8Array[];
  size: number;
  level: number;
  positions: ReturnType<typeof growing<Float32Array>>;
  indices: ReturnType<typeof growing<Uint32Array>>;
  here: Vertices;
  above: Vertices;
};

function marchBlock({ x, y, z, values, cells }: Block, march: March): void {
  const { cases, size, level, positions, indices, here, above } = march;
  for (const cell of cells) {
    const { at } = cell;
    let inside = 0;
    for (let corner = 0; corner < 8; corner++)
      if ((values[at + (CORNERS[corner] ?? 0)] ?? 0) >= level) inside |= 1 << corner;
    for (const number of cases[inside] ?? []) {
      const edge = CUBE_EDGES[number] ?? { axis: 0, from: 0, to: 0 };
      const i = x + cell.x + (edge.from & 1);
      const j = y + cell.y + ((edge.from >> 1) & 1);
      const k = z + cell.z + (edge.from >> 2);
      const key = ((k * size + j) * size + i) * 3 + edge.axis;
      const vertices = k === z + BRICK ? above : here;
      let vertex = vertices.get(key);
      if (vertex === undefined) {
        const from = values[at + (CORNERS[edge.from] ?? 0)] ?? 0;
        const to = values[at + (CORNERS[edge.to] ?? 0)] ?? 0;
        const way = (level - from) / (to - from);
        vertex = positions.length() / 3;
        vertices.set(key, vertex);
        positions.push(
          i + (edge.axis === 0 ? way : 0),
          j + (edge.axis === 1 ? way : 0),
          k + (edge.axis === 2 ? way : 0),
        );
      }
      indices.push(vertex);
    }
  }
}

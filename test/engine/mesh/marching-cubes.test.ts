// Surfaces of densities: closed, rightly wound, and those of scikit-image where both look at the same numbers.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CUBE_EDGES, cubeCases } from "../../../src/engine/mesh/cube-cases.ts";
import { type Search, sampleField } from "../../../src/engine/mesh/density-field.ts";
import { marchingCubes } from "../../../src/engine/mesh/marching-cubes.ts";
import { vertexNormals } from "../../../src/engine/mesh/vertex-normals.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { measuresOf, nearest, openEdges } from "../support/surface.ts";

type Case = { level: number; values: number[]; vertices: number[][]; faces: number; area: number; volume: number };
const cases: Record<"ring" | "dice", Case> = JSON.parse(
  readFileSync(join(import.meta.dir, "../../reference/vision/marching-cubes.json"), "utf8"),
);

const never = createPause(undefined);

async function surfaceOf(search: Omit<Search, "pause">, told: number[] = []) {
  const sampling = sampleField({ ...search, pause: never });
  let next = await sampling.next();
  for (; !next.done; next = await sampling.next()) told.push(next.value);
  return await marchingCubes(next.value, never);
}

/** By a formula of places from -1 to 1. */
const densityOf =
  (formula: (x: number, y: number, z: number) => number): Search["sample"] =>
  async (points) => {
    const at = (i: number) => 2 * (points[i] ?? 0) - 1;
    return Float32Array.from({ length: points.length / 3 }, (_, n) => formula(at(3 * n), at(3 * n + 1), at(3 * n + 2)));
  };

/** Looked up in a cube of numbers, [x, y, z]. */
function lookedUp(values: readonly number[]): Omit<Search, "pause" | "level"> {
  const resolution = Math.round(Math.cbrt(values.length));
  return {
    resolution,
    async sample(points) {
      const index = (i: number) => Math.round((points[i] ?? 0) * (resolution - 1));
      return Float32Array.from(
        { length: points.length / 3 },
        (_, n) => values[(index(3 * n) * resolution + index(3 * n + 1)) * resolution + index(3 * n + 2)] ?? 0,
      );
    },
  };
}

describe("scikit-image finds the same", () => {
  test.each(["ring", "dice"] as const)("vertices in the %s", async (name) => {
    const { level, values, vertices } = cases[name];
    const mesh = await surfaceOf({ ...lookedUp(values), level });
    expect(mesh.positions.length / 3).toBe(vertices.length);
    for (const vertex of vertices) expect(nearest(mesh, vertex).distance).toBeLessThan(2e-3);
  });

  test("triangles, area and volume of what is smooth", async () => {
    const { level, values, faces, area, volume } = cases.ring;
    const mesh = await surfaceOf({ ...lookedUp(values), level });
    expect(mesh.indices.length / 3).toBe(faces);
    const found = measuresOf(mesh);
    expect(found.area / area).toBeCloseTo(1, 2);
    expect(found.volume / volume).toBeCloseTo(1, 2);
  });
});

describe("surfaces are closed and look outwards", () => {
  test("each of the 256 cases passes just the edges whose ends differ, in at most five triangles", () => {
    for (const [inside, triangles] of cubeCases().entries()) {
      const isInside = (corner: number) => (inside & (1 << corner)) !== 0;
      const passed = CUBE_EDGES.flatMap(({ from, to }, edge) => (isInside(from) === isInside(to) ? [] : [edge]));
      expect([...new Set(triangles)].sort((a, b) => a - b)).toEqual(passed);
      expect(triangles.length).toBeLessThanOrEqual(15);
    }
  });

  test("of whatever numbers, also where cubes can be read in two ways", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(seed);
      const size = 9;
      const isOuter = (i: number) => i === 0 || i === size - 1;
      const values = Array.from({ length: size ** 3 }, (_, i) => {
        const places = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
        return places.some(isOuter) ? 0 : random();
      });
      const mesh = await surfaceOf({ ...lookedUp(values), level: 0.5 });
      expect(mesh.indices.length).toBeGreaterThan(1000);
      expect(openEdges(mesh)).toBe(0);
      expect(measuresOf(mesh).volume).toBeGreaterThan(0);
    }
  });

  test("a ball has the area and volume of a ball, and normals away from its middle", async () => {
    const mesh = await surfaceOf({
      resolution: 80,
      level: 0,
      sample: densityOf((x, y, z) => 0.7 - Math.hypot(x, y, z)),
    });
    const radius = 0.7 * (79 / 2);
    const { area, volume } = measuresOf(mesh);
    expect(openEdges(mesh)).toBe(0);
    expect(area / (4 * Math.PI * radius ** 2)).toBeCloseTo(1, 2);
    expect(volume / ((4 / 3) * Math.PI * radius ** 3)).toBeCloseTo(1, 2);
    const normals = vertexNormals(mesh);
    for (let i = 0; i < normals.length; i += 3) {
      const outwards = [0, 1, 2].map((axis) => ((mesh.positions[i + axis] ?? 0) - 79 / 2) / radius);
      expect(outwards.reduce((sum, each, axis) => sum + each * (normals[i + axis] ?? 0), 0)).toBeGreaterThan(0.99);
    }
  });

  test("what nothing or everything is inside of has none", async () => {
    for (const value of [0, 1]) {
      const mesh = await surfaceOf({ resolution: 40, level: 0.5, sample: densityOf(() => value) });
      expect(mesh.indices).toHaveLength(0);
    }
  });

  test("densities beyond all numbers lie inside and break nothing", async () => {
    const sample = densityOf((x, y, z) => (Math.hypot(x, y, z) < 0.5 ? Infinity : 0));
    const mesh = await surfaceOf({ resolution: 32, level: 25, sample });
    expect(openEdges(mesh)).toBe(0);
    expect(mesh.positions.every(Number.isFinite)).toBe(true);
  });
});

describe("large grids", () => {
  /** Two rings through each other, one of them thin. */
  const rings = densityOf((x, y, z) => {
    const first = 0.15 - Math.hypot(Math.hypot(x + 0.3, y) - 0.5, z);
    const second = 0.02 - Math.hypot(Math.hypot(x - 0.3, z) - 0.5, y);
    return 25 * Math.exp(40 * Math.max(first, second));
  });

  test("are looked at near the surface alone, and give the same as when they are looked at in full", async () => {
    const resolution = 150;
    let asked = 0;
    const told: number[] = [];
    const mesh = await surfaceOf(
      {
        resolution,
        level: 25,
        async sample(points) {
          asked += points.length / 3;
          return await rings(points);
        },
      },
      told,
    );
    expect(asked).toBeLessThan(0.45 * resolution ** 3);
    expect(openEdges(mesh)).toBe(0);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
    // Every crossing of an edge of the whole grid is a vertex.
    const places = Float32Array.from({ length: 3 * resolution ** 3 }, (_, i) => {
      const [point, axis] = [Math.floor(i / 3), i % 3];
      const place =
        axis === 0 ? Math.floor(point / resolution ** 2) : axis === 1 ? Math.floor(point / resolution) : point;
      return (place % resolution) / (resolution - 1);
    });
    const inside = (await rings(places)).map((value) => (value >= 25 ? 1 : 0));
    let crossings = 0;
    for (let i = 0; i < inside.length; i++) {
      if (i % resolution < resolution - 1 && inside[i] !== inside[i + 1]) crossings++;
      if (Math.floor(i / resolution) % resolution < resolution - 1 && inside[i] !== inside[i + resolution]) crossings++;
      if (inside[i + resolution ** 2] !== undefined && inside[i] !== inside[i + resolution ** 2]) crossings++;
    }
    expect(mesh.positions.length / 3).toBe(crossings);
  });

  test("surfaces that only the finest grid could follow stay closed all the same", async () => {
    const resolution = 140;
    const cell = 2 / (resolution - 1);
    // Beside the points of the coarse grid, which has every second one.
    const odd = -1 + 69 * cell;
    const needle = (along: number, a: number, b: number) =>
      Math.min(0.4 * cell - Math.hypot(a - odd, b - odd), 0.9 - Math.abs(along));
    // Wherever the neighbourhood of the ball ends within a brick.
    for (let size = 0; size < 8; size++) {
      const radius = 0.3 + size * cell;
      const spiked = densityOf((x, y, z) =>
        Math.max(radius - Math.hypot(x, y, z), needle(x, y, z), needle(y, x, z), needle(z, x, y)),
      );
      const mesh = await surfaceOf({ resolution, level: 0, sample: spiked });
      const reach = mesh.positions.reduce((most, each) => Math.max(most, Math.abs(each * cell - 1)), 0);
      // Needles are seen, and cut off.
      expect(reach).toBeGreaterThan(radius + cell);
      expect(reach).toBeLessThan(0.8);
      expect(openEdges(mesh)).toBe(0);
    }
  });
});

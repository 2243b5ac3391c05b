// The surface of a scene as a coloured mesh.
import type { Pause } from "../pause.ts";
import { toByte } from "../tensor/tiles.ts";
import { sampleField } from "./density-field.ts";
import { marchingCubes } from "./marching-cubes.ts";
import type { Mesh } from "./mesh.ts";
import { RADIUS } from "./triplane.ts";
import { DENSE, type Scene3d } from "./triposr.ts";
import { vertexNormals } from "./vertex-normals.ts";

/** Vertices that are coloured at once. */
const CHUNK = 65_536;

/** Yields how much is done, as a share. Without a surface the mesh is empty. */
export async function* reconstruct(
  scene: Scene3d,
  { resolution, pause }: { resolution: number; pause: Pause },
): AsyncGenerator<number, Mesh> {
  const sampling = sampleField({
    resolution,
    level: DENSE,
    async sample(places) {
      await pause();
      const { density } = await scene.query(places.map((place) => (2 * place - 1) * RADIUS));
      return density.map((each, i) => (isAtEnd(places, i) ? 0 : each));
    },
    pause,
  });
  let next = await sampling.next();
  for (; !next.done; next = await sampling.next()) yield next.value;
  const { positions: places, indices } = await marchingCubes(next.value, pause);
  const points = places.map((place) => ((2 * place) / (resolution - 1) - 1) * RADIUS);
  const colours = new Uint8Array(points.length);
  for (let from = 0; from < points.length; from += CHUNK * 3) {
    await pause();
    const { colour } = await scene.query(points.slice(from, from + CHUNK * 3));
    for (let i = 0; i < colour.length; i++) colours[from + i] = toByte(255 * (colour[i] ?? 0));
  }
  const positions = upright(points);
  return { positions, indices, normals: vertexNormals({ positions, indices }), colours };
}

/** What goes on beyond the cube is closed there, unlike the reference's: a mesh with holes cannot be printed. */
const isAtEnd = (places: Float32Array, point: number) =>
  [0, 1, 2].some((axis) => places[3 * point + axis] === 0 || places[3 * point + axis] === 1);

/** From the model's axes (x towards who looks, y to the right, z up) to glTF's (x to the right, y up, z to the front). */
const upright = (points: Float32Array) =>
  Float32Array.from(points, (_, i) => points[i - (i % 3) + (((i % 3) + 1) % 3)] ?? 0);

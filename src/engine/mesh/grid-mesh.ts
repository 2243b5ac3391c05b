// A map of points as a surface: neighbouring pixels become triangles, but not over the edges of things.
import { inPieces, type Pause } from "../pause.ts";
import { growing } from "./growing.ts";
import type { Mesh } from "./mesh.ts";
import type { PointMap } from "./point-map.ts";
import { ofLengthOne } from "./vertex-normals.ts";

/** Without colours: which pixel each vertex is. */
export type GridMesh = Required<Pick<Mesh, "positions" | "indices">> & {
  normals?: Float32Array;
  pixels: Uint32Array;
};

/**
 * In glTF's axes, from where the camera was. A pixel is left out where depths around it differ by more than `jump` of its
 * own, or where something around it is not there: between a thing and what is behind it nobody knows a surface.
 */
export async function gridMesh(map: PointMap, jump: number, pause: Pause): Promise<GridMesh> {
  const { width, height, points, normals } = map;
  const isKept = await keptPixels(map, jump, pause);
  const vertexOf = new Int32Array(width * height).fill(-1);
  const pixels = new Uint32Array(isKept.reduce((sum, each) => sum + each, 0));
  let count = 0;
  for (let at = 0; at < isKept.length; at++) {
    if (!isKept[at]) continue;
    vertexOf[at] = count;
    pixels[count++] = at;
  }
  const indices = growing(Uint32Array);
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      const corner = (offset: number) => vertexOf[at + offset] ?? -1;
      const [a, b, c, d] = [corner(0), corner(1), corner(width), corner(width + 1)];
      if (Math.min(a, b, c, d) >= 0) indices.push(a, c, b, b, c, d);
    }
    await pause();
  }
  return {
    positions: await turned(points, pixels, pause),
    indices: indices.whole(),
    ...(normals && { normals: ofLengthOne(await turned(normals, pixels, pause), [0, 0, 1]) }),
    pixels,
  };
}

/** From x right, y down, z away to x right, y up, z to the viewer. */
async function turned(vectors: Float32Array, pixels: Uint32Array, pause: Pause): Promise<Float32Array> {
  const into = new Float32Array(pixels.length * 3);
  await inPieces({ rows: pixels.length, size: 3, pause }, (from, to) => {
    for (let i = from * 3; i < to * 3; i++) {
      const value = vectors[3 * (pixels[Math.floor(i / 3)] ?? 0) + (i % 3)] ?? 0;
      into[i] = i % 3 === 0 ? value : -value;
    }
  });
  return into;
}

async function keptPixels({ width, height, points, isThere }: PointMap, jump: number, pause: Pause) {
  const depthAt = (x: number, y: number) =>
    isThere[y * width + x] ? (points[3 * (y * width + x) + 2] ?? 0) : Number.POSITIVE_INFINITY;
  const kept = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isThere[y * width + x]) continue;
      let least = Infinity;
      let most = -Infinity;
      for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++)
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
          least = Math.min(least, depthAt(i, j));
          most = Math.max(most, depthAt(i, j));
        }
      kept[y * width + x] = (most - least) / depthAt(x, y) <= jump ? 1 : 0;
    }
    await pause();
  }
  return kept;
}

// Which way a smooth surface looks at each vertex: the mean of its triangles', larger ones counting more.
import type { Mesh } from "./mesh.ts";

/** Of length 1; a vertex of no triangle, or whose triangles have no area, looks up. */
export function vertexNormals({ positions, indices }: Pick<Mesh, "positions" | "indices">): Float32Array {
  const normals = new Float32Array(positions.length);
  const at = (index: number) => positions[index] ?? 0;
  for (let i = 0; i < indices.length; i += 3) {
    const [a, b, c] = [(indices[i] ?? 0) * 3, (indices[i + 1] ?? 0) * 3, (indices[i + 2] ?? 0) * 3];
    const [ux, uy, uz] = [at(b) - at(a), at(b + 1) - at(a + 1), at(b + 2) - at(a + 2)];
    const [vx, vy, vz] = [at(c) - at(a), at(c + 1) - at(a + 1), at(c + 2) - at(a + 2)];
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const vertex of [a, b, c])
      for (let axis = 0; axis < 3; axis++) normals[vertex + axis] = (normals[vertex + axis] ?? 0) + (normal[axis] ?? 0);
  }
  return ofLengthOne(normals, [0, 1, 0]);
}

/** In place; `otherwise` in place of those that have no direction. */
export function ofLengthOne(vectors: Float32Array, otherwise: readonly [number, number, number]): Float32Array {
  for (let i = 0; i < vectors.length; i += 3) {
    const [x, y, z] = [vectors[i] ?? 0, vectors[i + 1] ?? 0, vectors[i + 2] ?? 0];
    const length = Math.hypot(x, y, z);
    vectors.set(length > 0 ? [x / length, y / length, z / length] : otherwise, i);
  }
  return vectors;
}

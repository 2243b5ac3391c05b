// Writes points as binary PLY, the format that programs for point clouds share.
import type { Points } from "../mesh/mesh.ts";

export function writePly({ positions, normals, colours }: Points): Uint8Array {
  const count = positions.length / 3;
  const floats = [..."xyz"].concat(normals ? ["nx", "ny", "nz"] : []);
  const properties = [
    ...floats.map((name) => `property float ${name}`),
    ...(colours ? ["red", "green", "blue"] : []).map((name) => `property uchar ${name}`),
  ];
  const header = ["ply", "format binary_little_endian 1.0", `element vertex ${count}`, ...properties, "end_header", ""];
  const head = new TextEncoder().encode(header.join("\n"));
  const file = new Uint8Array(head.length + count * (4 * floats.length + (colours ? 3 : 0)));
  file.set(head);
  const view = new DataView(file.buffer);
  let at = head.length;
  for (let i = 0; i < positions.length; i += 3) {
    for (const values of normals ? [positions, normals] : [positions])
      for (let axis = 0; axis < 3; axis++, at += 4) view.setFloat32(at, values[i + axis] ?? 0, true);
    for (let c = 0; c < (colours ? 3 : 0); c++, at++) view.setUint8(at, colours?.[i + c] ?? 0);
  }
  return file;
}

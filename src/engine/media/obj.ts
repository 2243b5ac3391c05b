// Writes Wavefront OBJ, with colours behind each vertex as trimesh, Blender and MeshLab read them; a texture has no place in one file.
import type { Mesh } from "../mesh/mesh.ts";
import { joinBytes } from "./join-bytes.ts";

/** Lines that are joined at once: one text of a large mesh would be longer than a string may be. */
const LINES = 50_000;

export function writeObj({ positions, indices, normals, colours }: Mesh): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let lines: string[] = ["# Forecourt"];
  const flush = () => {
    parts.push(encoder.encode(`${lines.join("\n")}\n`));
    lines = [];
  };
  const add = (line: string) => {
    if (lines.push(line) >= LINES) flush();
  };
  const three = (values: ArrayLike<number>, at: number, write: (value: number) => string) =>
    `${write(values[at] ?? 0)} ${write(values[at + 1] ?? 0)} ${write(values[at + 2] ?? 0)}`;
  const decimal = (value: number) => String(Number(value.toFixed(6)));
  const share = (value: number) => String(Number((value / 255).toFixed(4)));

  for (let at = 0; at < positions.length; at += 3)
    add(`v ${three(positions, at, decimal)}${colours ? ` ${three(colours, at, share)}` : ""}`);
  for (let at = 0; at < (normals?.length ?? 0); at += 3) add(`vn ${three(normals ?? [], at, decimal)}`);
  const corner = (index: number) => (normals ? `${index + 1}//${index + 1}` : String(index + 1));
  for (let at = 0; at < indices.length; at += 3) add(`f ${three(indices, at, corner)}`);
  flush();
  return joinBytes(parts);
}

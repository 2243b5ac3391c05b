// What is inside of a binary glTF file, and what Khronos' validator says of it.

import { WebIO } from "@gltf-transform/core";
import { validateBytes } from "gltf-validator";
import { invariant } from "../../../src/core/errors.ts";

export type Report = {
  issues: { numErrors: number; messages: { code: string; message: string; severity: number; pointer?: string }[] };
  info: {
    version: string;
    totalVertexCount: number;
    totalTriangleCount: number;
    hasTextures: boolean;
    resources: { pointer: string; image?: { width: number; height: number } }[];
  };
};

export const validate = async (bytes: Uint8Array): Promise<Report> => (await validateBytes(bytes)) as Report;

type Gltf = {
  scene?: number;
  scenes: { nodes: number[] }[];
  nodes: { name?: string; children?: number[]; mesh?: number }[];
  meshes?: {
    primitives: { attributes: Record<string, number>; indices: number; material?: number; mode?: number }[];
  }[];
  animations?: {
    channels: { target: { node: number; path: string } }[];
    samplers: { input: number; output: number }[];
  }[];
};

/** The description in front of the numbers. */
export function gltfOf(bytes: Uint8Array): Gltf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(20, 20 + view.getUint32(12, true))));
}

/** The numbers of its only mesh; colours are light, from 0 to 1. */
export async function meshOf(bytes: Uint8Array) {
  const document = await new WebIO().readBinary(bytes as Uint8Array<ArrayBuffer>);
  const [primitive, another] = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
  invariant(primitive && !another, "a file with one mesh");
  const numbers = (name: string) => Float32Array.from(primitive.getAttribute(name)?.getArray() ?? []);
  return {
    positions: numbers("POSITION"),
    normals: numbers("NORMAL"),
    colours: numbers("COLOR_0").map((value) => value / 65_535),
    uvs: numbers("TEXCOORD_0"),
    indices: Uint32Array.from(primitive.getIndices()?.getArray() ?? []),
    texture: document.getRoot().listTextures()[0]?.getImage() ?? undefined,
  };
}

// Writes binary glTF; wraps @gltf-transform/core, the only file that imports it, and only once a file is to be written: a
// server never does.
import type * as gltf from "@gltf-transform/core";
import { invariant } from "../../core/errors.ts";
import type { Mesh, Texture } from "../mesh/mesh.ts";

/** What a file holds: things in places, each beside or below another, and how they move. */
export type Scene = {
  nodes: readonly SceneNode[];
  animations?: readonly Animation[];
};

export type SceneNode = {
  name: string;
  /** Which of the nodes before it carries it along. Absent: it stands in the scene itself. */
  parent?: number;
  /** Relative to the parent. */
  translation?: Vector;
  /** Unit quaternion x, y, z, w. */
  rotation?: Quaternion;
  mesh?: Mesh;
};

export type Vector = [number, number, number];
export type Quaternion = [number, number, number, number];

export type Animation = { name: string; tracks: readonly Track[] };

/** How one node moves: its value at each time, between them the way straight through (of rotations on the sphere). */
export type Track = {
  node: number;
  moves: "translation" | "rotation";
  /** Seconds, rising. The same array in several tracks is written once. */
  times: Float32Array;
  /** Three numbers, or four of a quaternion, for each time. */
  values: Float32Array;
};

export async function writeGlb({ nodes, animations = [] }: Scene): Promise<Uint8Array> {
  const { Document, WebIO } = await import("@gltf-transform/core");
  const document = new Document();
  const buffer = document.createBuffer();
  document.getRoot().getAsset().generator = "Forecourt";
  const scene = document.createScene();
  document.getRoot().setDefaultScene(scene);
  const write: Writing = { document, buffer };
  const made: gltf.Node[] = [];
  for (const { name, parent, translation, rotation, mesh } of nodes) {
    const node = document.createNode(name);
    if (translation) node.setTranslation(translation);
    if (rotation) node.setRotation(rotation);
    if (mesh) node.setMesh(meshOf(write, mesh, name));
    const carrier = parent === undefined ? scene : made[parent];
    invariant(carrier, `the parent of the node ${name} comes before it`);
    carrier.addChild(node);
    made.push(node);
  }
  for (const each of animations) animate(write, each, made);
  return await new WebIO().writeBinary(document);
}

type Writing = { document: gltf.Document; buffer: gltf.Buffer };
type Kind = "SCALAR" | "VEC2" | "VEC3" | "VEC4";

/** The library's type says that no other thread shares the numbers, which makes no difference to it. */
const accessorOf = ({ document, buffer }: Writing, type: Kind, array: Float32Array | Uint16Array | Uint32Array) =>
  document
    .createAccessor()
    .setType(type)
    .setArray(array as gltf.TypedArray)
    .setBuffer(buffer);

/** Smaller indices where all vertices have one; the greatest of a type stands for none. */
const indicesOf = ({ indices, positions }: Mesh) =>
  positions.length / 3 < 0xffff ? Uint16Array.from(indices) : indices;

function meshOf(write: Writing, mesh: Mesh, name: string): gltf.Mesh {
  const { positions, normals, colours, texture } = mesh;
  const { document } = write;
  const primitive = document
    .createPrimitive()
    .setAttribute("POSITION", accessorOf(write, "VEC3", positions))
    .setIndices(accessorOf(write, "SCALAR", indicesOf(mesh)))
    .setMaterial(materialOf(write, texture));
  if (normals) primitive.setAttribute("NORMAL", accessorOf(write, "VEC3", normals));
  if (colours) primitive.setAttribute("COLOR_0", accessorOf(write, "VEC3", linearOf(colours)).setNormalized(true));
  if (texture) primitive.setAttribute("TEXCOORD_0", accessorOf(write, "VEC2", texture.uvs));
  return document.createMesh(name).addPrimitive(primitive);
}

/** Dull, and seen from both sides: what a model of one picture made has no finish, and may have holes. */
function materialOf({ document }: Writing, texture: Texture | undefined): gltf.Material {
  const material = document.createMaterial().setMetallicFactor(0).setRoughnessFactor(1).setDoubleSided(true);
  if (!texture) return material;
  const { bytes, contentType } = texture;
  return material.setBaseColorTexture(
    document
      .createTexture()
      .setImage(bytes as Uint8Array<ArrayBuffer>)
      .setMimeType(contentType),
  );
}

/** glTF's vertex colours are light, not sRGB; 16 bits, in which the dark ones stay apart. */
const LINEAR = Uint16Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  return Math.round(65_535 * (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
});
const linearOf = (colours: Uint8Array) => Uint16Array.from(colours, (value) => LINEAR[value] ?? 0);

function animate(write: Writing, { name, tracks }: Animation, nodes: readonly gltf.Node[]): void {
  const { document } = write;
  const animation = document.createAnimation(name);
  const inputs = new Map<Float32Array, gltf.Accessor>();
  for (const { node, moves, times, values } of tracks) {
    const target = nodes[node];
    invariant(target, "a track moves a node of its scene");
    const input = inputs.get(times) ?? accessorOf(write, "SCALAR", times);
    inputs.set(times, input);
    const output = accessorOf(write, moves === "rotation" ? "VEC4" : "VEC3", values);
    const sampler = document.createAnimationSampler().setInput(input).setOutput(output).setInterpolation("LINEAR");
    const channel = document.createAnimationChannel().setTargetNode(target).setTargetPath(moves).setSampler(sampler);
    animation.addSampler(sampler).addChannel(channel);
  }
}

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
  /** Its mesh follows other nodes instead of itself; such a node stands in the scene itself. */
  skin?: Skin;
};

export type Skin = {
  /** Which nodes, in any order; where they stand without an animation is where the mesh lies as it is. */
  joints: readonly number[];
  /** For each vertex which of `joints` carries it. */
  carriers: Uint16Array;
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
  for (const { name, parent, translation, rotation, mesh, skin } of nodes) {
    const node = document.createNode(name);
    if (translation) node.setTranslation(translation);
    if (rotation) node.setRotation(rotation);
    if (mesh) node.setMesh(meshOf(write, { mesh, name, carriers: skin?.carriers }));
    const carrier = parent === undefined ? scene : made[parent];
    invariant(carrier, `the parent of the node ${name} comes before it`);
    carrier.addChild(node);
    made.push(node);
  }
  for (const [at, { skin }] of nodes.entries()) if (skin) made[at]?.setSkin(skinOf(write, skin, made));
  for (const each of animations) animate(write, each, made);
  return await new WebIO().writeBinary(document);
}

type Writing = { document: gltf.Document; buffer: gltf.Buffer };
type Kind = "SCALAR" | "VEC2" | "VEC3" | "VEC4" | "MAT4";

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

type Wearing = { mesh: Mesh; name: string; carriers: Uint16Array | undefined };

function meshOf(write: Writing, { mesh, name, carriers }: Wearing): gltf.Mesh {
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
  if (carriers) {
    // Four each, as glTF has them; the first carries all.
    const fours = <T extends Uint16Array | Float32Array>(into: T, value: (vertex: number) => number): T => {
      for (let i = 0; i < carriers.length; i++) into[i * 4] = value(i);
      return into;
    };
    const [joints, weights] = [new Uint16Array(carriers.length * 4), new Float32Array(carriers.length * 4)];
    primitive.setAttribute(
      "JOINTS_0",
      accessorOf(
        write,
        "VEC4",
        fours(joints, (i) => carriers[i] ?? 0),
      ),
    );
    primitive.setAttribute(
      "WEIGHTS_0",
      accessorOf(
        write,
        "VEC4",
        fours(weights, () => 1),
      ),
    );
  }
  return document.createMesh(name).addPrimitive(primitive);
}

function skinOf(write: Writing, { joints }: Skin, nodes: readonly gltf.Node[]): gltf.Skin {
  const skin = write.document.createSkin();
  const matrices = joints.flatMap((at) => {
    const joint = nodes[at];
    invariant(joint, "a skin follows nodes of its scene");
    skin.addJoint(joint);
    return back(joint.getWorldMatrix());
  });
  return skin.setInverseBindMatrices(accessorOf(write, "MAT4", Float32Array.from(matrices)));
}

/** Of a place and a turn, column by column, the way back: the turn's rows are its columns, and the place is turned back too. */
function back(m: gltf.mat4): number[] {
  const place = (row: number) => -[0, 1, 2].reduce((sum, i) => sum + (m[row * 4 + i] ?? 0) * (m[12 + i] ?? 0), 0);
  const column = (i: number) => [m[i] ?? 0, m[4 + i] ?? 0, m[8 + i] ?? 0, 0];
  return [...column(0), ...column(1), ...column(2), place(0), place(1), place(2), 1];
}

/** Dull, and seen from both sides: what a model of one picture made has no finish, and may have holes. */
function materialOf({ document }: Writing, texture: Texture | undefined): gltf.Material {
  const material = document.createMaterial().setMetallicFactor(0).setRoughnessFactor(1).setDoubleSided(true);
  if (!texture) return material;
  const { bytes, contentType } = texture;
  const image = document.createTexture().setImage(bytes as Uint8Array<ArrayBuffer>);
  material.setBaseColorTexture(image.setMimeType(contentType));
  // Its left edge must not shine through at the right one.
  material.getBaseColorTextureInfo()?.setWrapS(CLAMP_TO_EDGE).setWrapT(CLAMP_TO_EDGE);
  return material;
}

/** OpenGL's number of it. */
const CLAMP_TO_EDGE = 33_071;

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

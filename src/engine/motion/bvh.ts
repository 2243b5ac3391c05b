// Writes motion as BVH, the text format of motion capture: a hierarchy of joints, then a line of numbers for each frame.
import type { Bone, Motion } from "./motion.ts";
import { anglesOf, NO_ROTATION, type Rotation } from "./rotation.ts";
import { times, type Vector, ZERO } from "./vectors.ts";

const TURN = "Zrotation Xrotation Yrotation";
const PLACE = "Xposition Yposition Zposition";

/** `unitsPerMetre`: the format itself has no unit; most programs take centimetres. */
export function bvhOf({ bones, fps, poses }: Motion, { unitsPerMetre }: { unitsPerMetre: number }): Uint8Array {
  const inUnits = (vector: Vector) => times(vector, unitsPerMetre).map(number).join(" ");
  const order: number[] = [];
  const lines = ["HIERARCHY", ...hierarchy(0, { bones, order, inUnits })];
  lines.push("MOTION", `Frames: ${poses.length}`, `Frame Time: ${(1 / fps).toFixed(8)}`);
  const last = new Map<number, number[]>();
  for (const { root, rotations } of poses) {
    const angles = order.flatMap((at) => {
      const near = degreesNear(rotations[at] ?? NO_ROTATION, last.get(at));
      last.set(at, near);
      return near;
    });
    lines.push(`${inUnits(root)} ${angles.map(number).join(" ")}`);
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

type Writing = { bones: readonly Bone[] /** Bones in the order in which they are written. */; order: number[] } & {
  inUnits(vector: Vector): string;
};

function hierarchy(at: number, writing: Writing): string[] {
  const bone = writing.bones[at];
  if (!bone) return [];
  writing.order.push(at);
  const isRoot = bone.parent < 0;
  const children = writing.bones.flatMap(({ parent }, child) => (parent === at ? hierarchy(child, writing) : []));
  const ends = children.length > 0 ? [] : ["End Site", "{", `  OFFSET ${writing.inUnits(bone.tip ?? ZERO)}`, "}"];
  return [
    `${isRoot ? "ROOT" : "JOINT"} ${bone.name}`,
    "{",
    `  OFFSET ${writing.inUnits(isRoot ? ZERO : bone.offset)}`,
    `  CHANNELS ${isRoot ? `6 ${PLACE}` : 3} ${TURN}`,
    ...[...children, ...ends].map((line) => `  ${line}`),
    "}",
  ];
}

/** In degrees and in the order of the channels; whole turns are added so that they go on from those before. */
function degreesNear(rotation: Rotation, last?: readonly number[]): number[] {
  const { z, x, y } = anglesOf(rotation);
  return [z, x, y].map((radians, i) => {
    const degrees = (radians * 180) / Math.PI;
    return last === undefined ? degrees : degrees + 360 * Math.round(((last[i] ?? 0) - degrees) / 360);
  });
}

/** No exponents, which not every reader takes, and no -0. */
const number = (value: number) => (Math.abs(value) < 5e-7 ? "0" : value.toFixed(6));

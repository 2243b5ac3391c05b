// What a text-to-motion graph gives: 22 turned joints a frame, on the skeleton of CMU's motion library, as QtMeshEditor's models have it.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { parse, type Static, Type } from "../../core/schema.ts";
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";
import type { Bone, Pose } from "./motion.ts";
import { after, fromSix, inverse, NO_ROTATION, nearTo, normalised, type Rotation } from "./rotation.ts";
import { direction, dot, type Vector, ZERO } from "./vectors.ts";

/** Joint, parent, and where it stands from that, in metres, on a figure of 1.7 m with its arms out. */
const JOINTS: readonly (readonly [name: string, parent: string, offset: Vector])[] = [
  ["hip", "", ZERO],
  ["abdomen", "hip", [0, 0.1, 0]],
  ["chest", "abdomen", [0, 0.13, 0]],
  ["neck", "chest", [0, 0.27, 0]],
  ["neck1", "neck", [0, 0.05, 0]],
  ["head", "neck1", [0, 0.05, 0]],
  ...arm("r", -1),
  ...arm("l", 1),
  ...leg("r", -1),
  ...leg("l", 1),
];

type Row = readonly [string, string, Vector];

function arm(side: string, out: number): Row[] {
  return [
    [`${side}collar`, "chest", [out * 0.03, 0.22, 0]],
    [`${side}shoulder`, `${side}collar`, [out * 0.15, 0, 0]],
    [`${side}elbow`, `${side}shoulder`, [out * 0.28, 0, 0]],
    [`${side}hand`, `${side}elbow`, [out * 0.25, 0, 0]],
  ];
}

function leg(side: string, out: number): Row[] {
  return [
    [`${side}buttock`, "hip", ZERO],
    [`${side}hip`, `${side}buttock`, [out * 0.09, -0.03, 0]],
    [`${side}knee`, `${side}hip`, [0, -0.42, 0]],
    [`${side}foot`, `${side}knee`, [0, -0.41, 0]],
  ];
}

const TIPS: Record<string, Vector> = {
  head: [0, 0.2, 0],
  ...{ rhand: [-0.18, 0, 0], lhand: [0.18, 0, 0] },
  ...{ rfoot: [0, -0.06, 0.18], lfoot: [0, -0.06, 0.18] },
};

export const CLIP_BONES: readonly Bone[] = JOINTS.map(([name, parent, offset]) => {
  const tip = TIPS[name];
  return { name, parent: JOINTS.findIndex(([each]) => each === parent), offset, ...(tip && { tip }) };
});

/** Metres from the soles to the top of the head. */
export const CLIP_HEIGHT = 1.72;

const numbers = (count: number) => Type.Array(Type.Number(), { minItems: count, maxItems: count });

/** Where the file beside the graph is: as its makers name it, or by itself. */
export const VOCABULARIES = ["vocab.json", "t2m-vocab.json", "motion/t2m-vocab.json"];

const vocabularyFields = Type.Object({
  vocab: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  fps: Type.Number({ default: 30, exclusiveMinimum: 0, maximum: 240 }),
  /** world: each joint is turned against the world; else against its parent. */
  frame: Type.Optional(Type.String()),
  joints: Type.Optional(Type.Array(Type.String())),
  /** How each joint of the model's own skeleton is turned at rest, and where its bone leads. */
  restWorld: Type.Optional(Type.Array(numbers(4))),
  restDir: Type.Optional(Type.Array(numbers(3))),
});

export type Vocabulary = Static<typeof vocabularyFields>;

/** Throws `misconfigured` for a file that does not fit. */
export async function readVocabulary(assets: Assets, path: string): Promise<Vocabulary> {
  const read = await assets.json<unknown>(path);
  let vocabulary: Vocabulary;
  try {
    vocabulary = parse(vocabularyFields, read, [path]);
  } catch (cause) {
    throw new ForecourtError("misconfigured", `${path} is not a vocabulary of motions`, { cause });
  }
  const { joints, restDir } = vocabulary;
  const names = CLIP_BONES.map(({ name }) => name);
  if (joints && joints.join() !== names.join())
    throw new ForecourtError("misconfigured", `${path} names other joints than ${names.join(", ")}`);
  if (restDir?.some(([x = 0, y = 0, z = 0], at) => !leadsAsOurs([x, y, z], at)))
    throw new ForecourtError("misconfigured", `${path}: the model's figure does not stand with its arms out at rest`);
  return vocabulary;
}

/** Roughly: a bone that leads elsewhere at rest would be turned from there. */
const CLOSE = Math.cos(Math.PI / 6);

function leadsAsOurs(rest: Vector, at: number): boolean {
  const name = CLIP_BONES[at]?.name ?? "";
  const own = CANONICAL.find(([names]) => names.test(name))?.[1];
  const given = direction(rest);
  return !own || !given || dot(own, given) > CLOSE;
}

const CANONICAL: readonly (readonly [RegExp, Vector])[] = [
  [/^r(collar|shoulder|elbow|hand)$/, [-1, 0, 0]],
  [/^l(collar|shoulder|elbow|hand)$/, [1, 0, 0]],
  [/knee$|hip$|^[rl]buttock$/, [0, -1, 0]],
  [/foot$/, [0, 0, 1]],
  [/^(abdomen|chest|neck1?|head)$/, [0, 1, 0]],
];

/** Of each joint: six numbers of its turn, or its place, quaternion and size. */
const [SIX, TEN] = [6, 10];

/** One pose for each frame of `motion` [1, frames, joints · numbers]; the root at the origin. Throws `misconfigured`. */
export function posesOf(motion: Tensor, { frame, restWorld }: Vocabulary): Pose[] {
  const [, frames = 0, numbers = 0] = motion.shape;
  const each = numbers / CLIP_BONES.length;
  if (motion.shape.length !== 3 || (each !== SIX && each !== TEN))
    throw new ForecourtError(
      "misconfigured",
      `the graph gives [${motion.shape.join(", ")}], not 22 joints of 6 or 10 numbers a frame`,
    );
  const values = toFloats(motion);
  const rest = CLIP_BONES.map((_, joint) => quaternionAt(restWorld?.[joint] ?? NO_ROTATION, 0));
  const poses: Pose[] = [];
  for (let at = 0; at < frames; at++) {
    const turns = CLIP_BONES.map((_, joint) => {
      const from = at * numbers + joint * each;
      const turn = each === SIX ? sixAt(values, from) : quaternionAt(values, from + 3);
      return frame === "world" ? after(turn, inverse(rest[joint] ?? NO_ROTATION)) : turn;
    });
    const last = poses.at(-1)?.rotations;
    const rotations = CLIP_BONES.map(({ parent }, joint) => {
      const turn = turns[joint] ?? NO_ROTATION;
      const above = frame === "world" ? (turns[parent] ?? NO_ROTATION) : NO_ROTATION;
      return nearTo(last?.[joint] ?? NO_ROTATION, after(inverse(above), turn));
    });
    poses.push({ root: ZERO, rotations });
  }
  return poses;
}

const vectorAt = (values: ArrayLike<number>, at: number): Vector => [
  ...([values[at] ?? 0, values[at + 1] ?? 0, values[at + 2] ?? 0] as const),
];
const sixAt = (values: ArrayLike<number>, at: number) => fromSix(vectorAt(values, at), vectorAt(values, at + 3));
const quaternionAt = (values: ArrayLike<number>, at: number): Rotation =>
  normalised([...vectorAt(values, at), values[at + 3] ?? 0]);

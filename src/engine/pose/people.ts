// People in a picture by the points of their bodies, and what those points are called.
import { ForecourtError } from "../../core/errors.ts";

/** Its upper left corner and size, in pixels of the picture; may reach beyond the picture. */
export type Box = { x: number; y: number; w: number; h: number };

/** In pixels of the picture; `score` is about 0 to 1. */
export type Keypoint = { x: number; y: number; score: number };
/** Points in the order of `pointNames`. */
export type Person = { box: Box; score: number; points: readonly Keypoint[] };

/** COCO's 17 points of a body; left and right are the person's own. */
const BODY = [
  "nose",
  ...["left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"],
  ...["left_elbow", "right_elbow", "left_wrist", "right_wrist"],
  ...["left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"],
];

export const BODY_POINTS = BODY.length;

const FEET = ["left", "right"].flatMap((side) => ["big_toe", "small_toe", "heel"].map((place) => `${side}_${place}`));
const FACE = Array.from({ length: 68 }, (_, i) => `face_${i}`);
const FINGERS = ["thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger"];
const hand = (side: string) => [
  `${side}_hand_root`,
  ...FINGERS.flatMap((finger) => [1, 2, 3, 4].map((joint) => `${side}_${finger}_${joint}`)),
];

/** COCO-WholeBody's 133: the body, feet, face and hands. */
const WHOLE_BODY = [...BODY, ...FEET, ...FACE, ...hand("left"), ...hand("right")];

/** Where the points of a part lie among COCO-WholeBody's: from, to (not with it). */
export const PARTS = { face: [23, 91], leftHand: [91, 112], rightHand: [112, 133] } as const;

/** By how many points a model finds: 17 or 133. Throws `misconfigured` for any other number. */
export function pointNames(count: number): readonly string[] {
  const names = [BODY, WHOLE_BODY].find(({ length }) => length === count);
  if (names) return names;
  throw new ForecourtError(
    "misconfigured",
    `the graph finds ${count} points of a person; known are COCO's 17 of the body and COCO-WholeBody's 133`,
  );
}

// The body as limbs: a figure that stands with its arms out, named as most animation programs name theirs.
import { hinge, type Lead, type Limb, lead, spanOf } from "./limb.ts";
import { between, direction, minus, plus, type Vector, X, Y, Z, ZERO } from "./vectors.ts";

/** Names of the points that differ from model to model, without their side. */
export type BodyPoints = { index: string; pinky: string; toe: string; fingers?: readonly string[] };

/** Of the way from the hips to the shoulders: where the back bends. */
const [LOW, HIGH] = [0.15, 0.55];
/** From an ankle to the toes of a foot that stands flat, and from between the ears to the nose of a head held straight. */
const FOOT: Vector = unit([0, -0.45, 0.9]);
const NOSE: Vector = unit([0, -0.2, 1]);
const DOWN: Vector = [0, -1, 0];

const hips: Lead = (at) => between(at("left_hip"), at("right_hip"));
const neck: Lead = (at) => between(at("left_shoulder"), at("right_shoulder"));
const head: Lead = (at) => between(at("left_ear"), at("right_ear"));
const onBack =
  (share: number): Lead =>
  (at) =>
    between(hips(at), neck(at), share);
const back: Lead = (at) => minus(neck(at), hips(at));
const shoulders = lead("right_shoulder", "left_shoulder");
const pelvis = lead("right_hip", "left_hip");

/** Each limb after its parent. */
export function bodyOf(points: BodyPoints): Limb[] {
  const spine: Limb[] = [
    { name: "Hips", joint: hips, rest: ZERO, main: { rest: X, to: pelvis }, side: { rest: Y, to: back } },
    {
      ...{ name: "Spine", parent: "Hips", joint: onBack(LOW), rest: Y, main: { rest: Y, to: back } },
      side: { rest: X, to: (at) => plus(pelvis(at), shoulders(at)) },
    },
    {
      ...{ name: "Chest", parent: "Spine", joint: onBack(HIGH), rest: Y, main: { rest: Y, to: back } },
      side: { rest: X, to: shoulders },
    },
    {
      ...{ name: "Neck", parent: "Chest", joint: neck, rest: Y },
      main: { rest: Y, to: (at) => minus(head(at), neck(at)) },
    },
    {
      ...{ name: "Head", parent: "Neck", joint: head, rest: Y, main: { rest: X, to: lead("right_ear", "left_ear") } },
      side: { rest: NOSE, to: (at) => minus(at("nose"), head(at)) },
      tip: { rest: Y, span: spanOf("left_ear", "right_ear") },
    },
  ];
  const sides = [
    { side: "left", name: "Left", out: 1 },
    { side: "right", name: "Right", out: -1 },
  ] as const;
  return [
    ...spine,
    ...sides.flatMap((side) => arm(side, points)),
    ...sides.flatMap((side) => leg(side, points)),
    ...sides.flatMap((side) => fingers(side, points)),
  ];
}

type Side = { side: "left" | "right"; name: "Left" | "Right"; out: 1 | -1 };

const jointAt =
  (name: string): Lead =>
  (at) =>
    at(name);

function arm({ side, name, out }: Side, points: BodyPoints): Limb[] {
  const [shoulder, elbow, wrist] = [`${side}_shoulder`, `${side}_elbow`, `${side}_wrist`];
  const [index, pinky] = [`${side}_${points.index}`, `${side}_${points.pinky}`];
  const outward: Vector = [out, 0, 0];
  const bend = { rest: [0, -out, 0] as Vector, to: hinge(shoulder, elbow, wrist), hinge: true } as const;
  const knuckles: Lead = (at) => minus(between(at(index), at(pinky)), at(wrist));
  return [
    {
      ...{ name: `${name}Shoulder`, parent: "Chest", joint: neck, rest: Y },
      main: { rest: outward, to: (at) => minus(at(shoulder), neck(at)) },
    },
    {
      ...{ name: `${name}Arm`, parent: `${name}Shoulder`, joint: jointAt(shoulder), rest: outward },
      ...{ main: { rest: outward, to: lead(shoulder, elbow) }, side: bend },
    },
    {
      ...{ name: `${name}ForeArm`, parent: `${name}Arm`, joint: jointAt(elbow), rest: outward },
      ...{ main: { rest: outward, to: lead(elbow, wrist) }, side: bend },
    },
    {
      ...{ name: `${name}Hand`, parent: `${name}ForeArm`, joint: jointAt(wrist), rest: outward },
      ...{ main: { rest: outward, to: knuckles }, side: { rest: Z, to: lead(pinky, index) } },
      tip: { rest: outward, span: spanOf(wrist, index) },
    },
  ];
}

function leg({ side, name, out }: Side, points: BodyPoints): Limb[] {
  const [hip, knee, ankle] = [`${side}_hip`, `${side}_knee`, `${side}_ankle`];
  const [heel, toe] = [`${side}_heel`, `${side}_${points.toe}`];
  const bend = { rest: X, to: hinge(hip, knee, ankle), hinge: true } as const;
  return [
    {
      ...{ name: `${name}UpLeg`, parent: "Hips", joint: jointAt(hip), rest: [out, 0, 0] },
      ...{ main: { rest: DOWN, to: lead(hip, knee) }, side: bend },
    },
    {
      ...{ name: `${name}Leg`, parent: `${name}UpLeg`, joint: jointAt(knee), rest: DOWN },
      ...{ main: { rest: DOWN, to: lead(knee, ankle) }, side: bend },
    },
    {
      ...{ name: `${name}Foot`, parent: `${name}Leg`, joint: jointAt(ankle), rest: DOWN },
      // The heel lies below the ankle: the axis is that of a hinge which always stands bent, the other way than the knee.
      ...{ main: { rest: FOOT, to: lead(ankle, toe) }, side: { rest: [-1, 0, 0], to: hinge(ankle, heel, toe) } },
      tip: { rest: FOOT, span: spanOf(ankle, toe) },
    },
  ];
}

/** Of a left hand held out, palm down: from the wrist to the first joint, and along the finger. */
const FINGERS: Record<string, { name: string; root: Vector; along: Vector }> = {
  thumb: { name: "Thumb", root: [0.8, -0.15, 0.6], along: [0.75, -0.15, 0.65] },
  forefinger: { name: "Index", root: [0.96, 0, 0.28], along: X },
  middle_finger: { name: "Middle", root: [1, 0, 0.05], along: X },
  ring_finger: { name: "Ring", root: [0.98, 0, -0.18], along: X },
  pinky_finger: { name: "Pinky", root: [0.92, 0, -0.38], along: X },
};

function fingers({ side, name, out }: Side, { fingers: found = [] }: BodyPoints): Limb[] {
  return found.flatMap((finger) => {
    const of = FINGERS[finger];
    if (of === undefined) return [];
    const [root, along] = [of.root, of.along].map(([x, y, z]) => unit([x * out, y, z])) as [Vector, Vector];
    const point = (joint: number) => `${side}_${finger}_${joint}`;
    return [1, 2, 3].map((joint) => ({
      name: `${name}Hand${of.name}${joint}`,
      parent: joint === 1 ? `${name}Hand` : `${name}Hand${of.name}${joint - 1}`,
      ...{ joint: jointAt(point(joint)), rest: joint === 1 ? root : along },
      main: { rest: along, to: lead(point(joint), point(joint + 1)) },
      ...(joint === 3 && { tip: { rest: along, span: spanOf(point(3), point(4)) } }),
    }));
  });
}

function unit(vector: Vector): Vector {
  return direction(vector) ?? ZERO;
}

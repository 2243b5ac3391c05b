// Draws people as skeletons in OpenPose's colours, which ControlNets for poses look at.
import type { Pixels } from "../../core/pipeline.ts";
import type { Colour } from "../vision/annotate.ts";
import { type At, fillDisc, fillEllipse } from "./ellipse.ts";
import { drawPart, maskPart } from "./face-and-hands.ts";
import { COLOURS, JOINTS, LIMBS } from "./openpose.ts";
import type { Keypoint, Person } from "./people.ts";

/** Half of a limb's width and a joint's radius, where the shorter side has 512 pixels: the annotators draw at that size. */
const [STROKE, DRAWN_AT] = [4, 512];
/** Limbs are darker than joints. */
const DIMMED = 0.6;

/** fal's names of what is drawn (fal-ai/dwpose). */
export const DRAW_MODES = [
  ...(["full-pose", "body-pose", "face-pose", "hand-pose"] as const),
  ...(["face-hand-mask", "face-mask", "hand-mask"] as const),
] as const;
export type DrawMode = (typeof DRAW_MODES)[number];

/** Of the rest only models of 133 points know. */
export const isOfBodyAlone = (mode: DrawMode) => mode === "body-pose";

/** What people and points need at least to count, unless told otherwise: DWPose's annotator draws from here on. */
export const SURE = 0.3;

type How = {
  mode: DrawMode;
  /** Points with less are not drawn, nor the limbs that end there. */
  threshold: number;
};

/** Over an RGB picture, which stays as it is. */
export function drawPeople(ground: Pixels, people: readonly Person[], { mode, threshold }: How): Pixels {
  const drawn = { ...ground, data: ground.data.slice() };
  const scale = Math.min(drawn.width, drawn.height) / DRAWN_AT;
  const parts = (["face", "hands"] as const).filter(
    (part) => mode === "full-pose" || mode.includes(part === "face" ? "face" : "hand"),
  );
  if (mode === "full-pose" || mode === "body-pose") drawBodies(drawn, people, { threshold, scale });
  for (const { points } of people)
    for (const part of parts)
      if (mode.endsWith("mask")) maskPart(drawn, part, points, threshold);
      else drawPart(drawn, part, points, { threshold, scale });
  return drawn;
}

/** The bodies alone on black, in the picture's size: what ControlNets for poses look at. */
export const skeletonsOf = (picture: Pixels, people: readonly Person[]): Pixels =>
  drawPeople(blackOf(picture), people, { mode: "body-pose", threshold: SURE });

/** Black, RGB. */
export const blackOf = ({ width, height }: Pick<Pixels, "width" | "height">): Pixels => ({
  data: new Uint8Array(width * height * 3),
  ...{ width, height, channels: 3 },
});

function drawBodies(
  drawn: Pixels,
  people: readonly Person[],
  { threshold, scale }: Omit<How, "mode"> & { scale: number },
) {
  const radius = Math.max(1, STROKE * scale);
  const bodies = people.map(({ points }) => jointsOf(points, threshold));
  for (const [at, [a, b]] of LIMBS.entries())
    for (const joints of bodies) {
      const [from, to] = [joints[a], joints[b]];
      if (from && to) fillEllipse(drawn, { ...limb(from, to), across: radius, colour: dimmed(COLOURS[at]) });
    }
  for (const [at, colour] of COLOURS.entries())
    for (const joints of bodies) {
      const centre = joints[at];
      if (centre) fillDisc(drawn, centre, { radius, colour });
    }
}

/** Undefined for what is not sure enough; the neck needs both shoulders. */
function jointsOf(points: readonly Keypoint[], threshold: number): (At | undefined)[] {
  return JOINTS.map((of) => {
    const found = of.flatMap((at) => points[at] ?? []).filter(({ score }) => score > threshold);
    if (found.length < of.length) return undefined;
    const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
    return { x: mean(found.map(({ x }) => x)), y: mean(found.map(({ y }) => y)) };
  });
}

const dimmed = ([red, green, blue]: Colour = [0, 0, 0]): Colour => [
  ...([Math.round(red * DIMMED), Math.round(green * DIMMED), Math.round(blue * DIMMED)] as const),
];

/** An ellipse from joint to joint. */
const limb = (from: At, to: At) => ({
  centre: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 },
  along: Math.hypot(to.x - from.x, to.y - from.y) / 2,
  angle: Math.atan2(to.y - from.y, to.x - from.x),
});

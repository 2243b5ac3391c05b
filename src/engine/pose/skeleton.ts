// Draws people as skeletons in OpenPose's colours, which ControlNets for poses look at.
import type { Pixels } from "../../core/pipeline.ts";
import { COLOURS, type Colour, JOINTS, LIMBS } from "./openpose.ts";
import type { Keypoint, Person } from "./people.ts";

/** Half of a limb's width and a joint's radius, where the shorter side has 512 pixels: the annotators draw at that size. */
const [STROKE, DRAWN_AT] = [4, 512];
/** Limbs are darker than joints. */
const DIMMED = 0.6;

type How = {
  /** Points with less are not drawn, nor the limbs that end there. */
  threshold: number;
};

/** Over an RGB picture, which stays as it is. */
export function drawSkeletons(ground: Pixels, people: readonly Person[], { threshold }: How): Pixels {
  const drawn = { ...ground, data: ground.data.slice() };
  const radius = Math.max(1, (STROKE * Math.min(drawn.width, drawn.height)) / DRAWN_AT);
  const bodies = people.map(({ points }) => jointsOf(points, threshold));
  for (const [at, [a, b]] of LIMBS.entries())
    for (const joints of bodies) {
      const [from, to] = [joints[a], joints[b]];
      if (from && to) fillEllipse(drawn, { ...limb(from, to), across: radius, colour: dimmed(COLOURS[at]) });
    }
  for (const [at, colour] of COLOURS.entries())
    for (const joints of bodies) {
      const centre = joints[at];
      if (centre) fillEllipse(drawn, { centre, along: radius, across: radius, angle: 0, colour });
    }
  return drawn;
}

/** Black, RGB. */
export const blackOf = ({ width, height }: Pick<Pixels, "width" | "height">): Pixels => ({
  data: new Uint8Array(width * height * 3),
  ...{ width, height, channels: 3 },
});

type At = { x: number; y: number };

/** Undefined for what is not sure enough; the neck needs both shoulders. */
function jointsOf(points: readonly Keypoint[], threshold: number): (At | undefined)[] {
  return JOINTS.map((of) => {
    const found = of.flatMap((at) => points[at] ?? []).filter(({ score }) => score > threshold);
    if (found.length < of.length) return undefined;
    const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
    return { x: mean(found.map(({ x }) => x)), y: mean(found.map(({ y }) => y)) };
  });
}

const dimmed = (colour: Colour = [0, 0, 0]): Colour => {
  const [red, green, blue] = colour;
  return [Math.round(red * DIMMED), Math.round(green * DIMMED), Math.round(blue * DIMMED)];
};

/** An ellipse from joint to joint. */
const limb = (from: At, to: At) => ({
  centre: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 },
  along: Math.hypot(to.x - from.x, to.y - from.y) / 2,
  angle: Math.atan2(to.y - from.y, to.x - from.x),
});

type Ellipse = {
  centre: At;
  /** Half axes. */
  along: number;
  across: number;
  /** Of the axis `along` to the right, in radians. */
  angle: number;
  colour: Colour;
};

/** All pixels whose middle lies within; points count from the middle of the first pixel. */
function fillEllipse({ data, width, height }: Pixels, { centre, along, across, angle, colour }: Ellipse): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.max(along, across);
  const last = (middle: number, edge: number) => Math.min(edge - 1, Math.floor(middle + reach));
  for (let y = Math.max(0, Math.ceil(centre.y - reach)); y <= last(centre.y, height); y++)
    for (let x = Math.max(0, Math.ceil(centre.x - reach)); x <= last(centre.x, width); x++) {
      const [dx, dy] = [x - centre.x, y - centre.y];
      const [u, v] = [(dx * cos + dy * sin) / along, (dy * cos - dx * sin) / across];
      if (u * u + v * v <= 1) data.set(colour, (y * width + x) * 3);
    }
}

// Faces and hands of COCO-WholeBody's points, as DWPose's annotator draws them, and white where they are.
import type { Pixels } from "../../core/pipeline.ts";
import { fillPolygon, pureColour, stroke } from "../vision/annotate.ts";
import { type At, fillDisc } from "./ellipse.ts";
import { type Keypoint, PARTS } from "./people.ts";

export type Part = "face" | "hands";

type How = {
  /** Points with less are not drawn. */
  threshold: number;
  /** Pixels for one of the annotator's. */
  scale: number;
};

const WHITE = [255, 255, 255] as const;
const BLUE = [0, 0, 255] as const;
/** Radii of dots and half of a line's width, in the annotator's pixels; OpenCV's lines of 2 are 3 wide. */
const [FACE_DOT, HAND_DOT, HALF_LINE] = [3, 4, 1.5];

/** A hand's lines: from its root along each finger, four joints each. */
const HAND_LINES = [0, 1, 2, 3, 4].flatMap((finger) =>
  [0, 1, 2, 3].map((joint) => [joint === 0 ? 0 : finger * 4 + joint, finger * 4 + joint + 1] as const),
);

export function drawPart(drawn: Pixels, part: Part, points: readonly Keypoint[], { threshold, scale }: How): void {
  for (const places of placesOf(part, points, threshold)) {
    if (part === "hands")
      for (const [i, [a, b]] of HAND_LINES.entries()) {
        const [from, to] = [places[a], places[b]];
        if (!from || !to) continue;
        const line = { from: middle(from), to: middle(to), radius: Math.max(0.75, HALF_LINE * scale) };
        stroke(drawn, { ...line, colour: pureColour((i / HAND_LINES.length) * 360) });
      }
    const dot = part === "face" ? { radius: FACE_DOT, colour: WHITE } : { radius: HAND_DOT, colour: BLUE };
    for (const at of places)
      if (at) fillDisc(drawn, at, { radius: Math.max(1, dot.radius * scale), colour: dot.colour });
  }
}

/** White over the convex hull of each face or hand. */
export function maskPart(drawn: Pixels, part: Part, points: readonly Keypoint[], threshold: number): void {
  for (const places of placesOf(part, points, threshold))
    fillPolygon(drawn, hullOf(places.filter((at) => at !== undefined).map(middle)), { colour: WHITE, opacity: 1 });
}

/** Of the face, or of both hands; undefined for points that are not sure. */
const placesOf = (part: Part, points: readonly Keypoint[], threshold: number): (At | undefined)[][] =>
  (part === "face" ? [PARTS.face] : [PARTS.leftHand, PARTS.rightHand]).map(([from, to]) =>
    points.slice(from, to).map((point) => (point.score > threshold ? point : undefined)),
  );

/** Points are middles of pixels; lines and areas count from pixels' corners. */
const middle = ({ x, y }: At): At => ({ x: x + 0.5, y: y + 0.5 });

/** Around all of the points (Andrew's monotone chain). */
function hullOf(points: readonly At[]): At[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const half = (along: readonly At[]) => {
    const chain: At[] = [];
    for (const point of along) {
      while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

/** Above 0 to the one side, below to the other. */
const turn = (a: At = ORIGIN, b: At = ORIGIN, c: At = ORIGIN) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
const ORIGIN: At = { x: 0, y: 0 };

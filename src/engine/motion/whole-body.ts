// RTMW3D: 133 points of one person, as RTMPose tells them along both edges of the picture, and how far each is from the hips.
import type { Graph, Pixels } from "../../core/pipeline.ts";
import type { Port } from "../../core/tensor.ts";
import type { PeopleFinder } from "../pose/finder.ts";
import { BODY_POINTS, type Box, type Keypoint, pointNames } from "../pose/people.ts";
import { peaksOf, simccLook } from "../pose/simcc.ts";
import { bodyOf } from "./body.ts";
import type { Body, BodyFinder } from "./body-finder.ts";
import { median } from "./fit-figure.ts";
import { between, dot, minus, type Vector } from "./vectors.ts";

const POINTS = 133;
const NAMES = pointNames(POINTS);
/** Metres from the hips that the first and the last place of depth stand for: SimCC3DLabel's, of its training data. */
const DEPTH = 2.1744869;
/** Points with less do not tell where to look next, nor how large the person is. */
const SEEN = 0.3;

const FINGERS = ["thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger"];

/** Lengths of limbs as shares of a person's height (Drillis and Contini, "Body Segment Parameters", 1966). */
const SHARES = [
  ["shoulder", "elbow", 0.186],
  ["elbow", "wrist", 0.146],
  ["shoulder", "hip", 0.288],
  ["hip", "knee", 0.245],
  ["knee", "ankle", 0.246],
] as const;

const LIMBS = (["left", "right"] as const).flatMap((side) =>
  SHARES.map(([from, to, share]) => ({ from: place(`${side}_${from}`), to: place(`${side}_${to}`), share })),
);

function place(name: string): number {
  return NAMES.indexOf(name);
}

/** By name, or in mmpose's order where an exporter named them otherwise. */
function ports({ outputs }: Graph): Port[] | undefined {
  const named = ["simcc_x", "simcc_y", "simcc_z"].map((name) => outputs.find((port) => port.name === name));
  const found = named.every((port) => port !== undefined) ? named : outputs;
  const fits = found.length === 3 && found.every(({ shape }) => shape.length === 3 && shape[1] === POINTS);
  return fits ? [...found] : undefined;
}

export const isWholeBody = (graph: Graph) => ports(graph) !== undefined;

/** Without `findPeople` the first picture is one person. */
export function wholeBody(graph: Graph, findPeople: PeopleFinder | undefined): BodyFinder {
  const [across, down, depth] = ports(graph) ?? [];
  if (!across || !down || !depth) throw new RangeError("not a graph of whole bodies in space");
  const see = simccLook(graph, { across, down });
  const limbs = bodyOf({ index: "forefinger_1", pinky: "pinky_finger_1", toe: "big_toe", fingers: FINGERS });
  return {
    ...{ names: NAMES, limbs },
    follow({ threshold, height }) {
      let next: Box | undefined;
      const look = async (picture: Pixels, box: Box): Promise<Body | undefined> => {
        const { points, results } = await see(picture, box);
        const depths = peaksOf(results[depth.name]).map(({ place, places }) => (place / (places / 2) - 1) * DEPTH);
        const body = bodyFrom(points, depths, height);
        next = body.score >= threshold ? boxAround(points) : undefined;
        return next && body;
      };
      return async (picture) => {
        const known = next && (await look(picture, next));
        if (known) return known;
        const whole = { x: 0, y: 0, w: picture.width, h: picture.height };
        const [box] = findPeople ? (await findPeople(picture, threshold)).map(({ box }) => box) : [whole];
        return box && (await look(picture, box));
      };
    },
  };
}

function bodyFrom(points: readonly Keypoint[], depths: readonly number[], height: number): Body {
  const seen = points.map(({ x, y }, i): Vector => [x, -y, -(depths[i] ?? 0)]);
  const at = (name: string) => seen[place(name)] ?? ([0, 0, 0] as const);
  const hips = between(at("left_hip"), at("right_hip"));
  const pixelsPerMetre = 1 / metresPerPixel(points, seen, height);
  const places = seen.map((point): Vector => {
    const [x, y, z] = minus(point, hips);
    return [x / pixelsPerMetre, y / pixelsPerMetre, z];
  });
  const body = points.slice(0, BODY_POINTS);
  const score = body.reduce((sum, each) => sum + Math.min(1, each.score), 0) / body.length;
  const scores = points.map((each) => Math.min(1, Math.max(0, each.score)));
  return { places, scores, score, hips: { x: hips[0], y: -hips[1] }, pixelsPerMetre };
}

/**
 * A limb of known length that leads away by so much is as long in the picture as the rest of it: of all that are seen and lie more
 * across the view than along it, the median. Where none does, as if they all lay across it.
 */
function metresPerPixel(points: readonly Keypoint[], seen: readonly Vector[], height: number): number {
  const measured = LIMBS.flatMap(({ from, to, share }) => {
    const [a, b] = [seen[from], seen[to]];
    const isSeen = Math.min(points[from]?.score ?? 0, points[to]?.score ?? 0) > SEEN;
    if (!isSeen || !a || !b) return [];
    const [x, y, away] = minus(b, a);
    const pixels = Math.hypot(x, y);
    return pixels > 1 ? [{ pixels, away, span: share * height }] : [];
  });
  const across = measured.filter(({ away, span }) => away * away < (span * span) / 2);
  if (across.length > 0)
    return median(across.map(({ pixels, away, span }) => Math.sqrt(span * span - away * away) / pixels));
  if (measured.length > 0) return median(measured.map(({ pixels, span }) => span / pixels));
  const [first = [0, 0, 0] as const, last = [0, 1, 0] as const] = [seen[place("nose")], seen[place("left_hip")]];
  const apart = minus(last, first);
  return (height * 0.4) / Math.max(1, Math.sqrt(dot(apart, apart)));
}

/** Around all that is seen; undefined where that is next to nothing. */
function boxAround(points: readonly Keypoint[]): Box | undefined {
  const seen = points.filter(({ score }) => score > SEEN);
  const [xs, ys] = [seen.map(({ x }) => x), seen.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const [w, h] = [Math.max(...xs) - x, Math.max(...ys) - y];
  return seen.length > 4 && w > 1 && h > 1 ? { x, y, w, h } : undefined;
}

// A person in picture after picture becomes a figure of bones that moves.
import type { Body, BodyFinder } from "./body-finder.ts";
import { bonesOf, median, posesOf, scaled } from "./fit-figure.ts";
import type { Points } from "./limb.ts";
import { type Bone, type Motion, placed } from "./motion.ts";
import type { Smoothing } from "./one-euro.ts";
import { NO_ROTATION, rotate } from "./rotation.ts";
import { stand, type Way } from "./stand.ts";
import { bridged, evenly, type Seen, smoothed, smoothedPath } from "./track.ts";
import { between, minus, plus, times, type Vector, ZERO } from "./vectors.ts";

/** One picture: when it was, and who was in it. */
export type Moment = { seconds: number; body: Body | undefined };

export type CaptureWishes = {
  fps: number;
  way: Way;
  /** Absent: points are taken as they are. */
  smoothing?: Smoothing;
  /** Metres; absent: as tall as the model sees the person. */
  height?: number;
};

export type Captured = {
  motion: Motion;
  /** The model's points where the figure stands, in metres. */
  moments: Seen[];
  /** Metres, of the figure at rest. */
  height: number;
};

/** At least one of the moments has a body. */
export function capture(moments: readonly Moment[], { names, limbs }: BodyFinder, wishes: CaptureWishes): Captured {
  const { fps, smoothing, way } = wishes;
  const seen = moments.map(({ seconds, body }) => ({
    ...{ seconds, isFound: body !== undefined, scores: body?.scores ?? [] },
    ...(body && { places: body.places }),
  }));
  const even = evenly(bridged(seen), fps);
  const smooth = smoothing ? smoothed(even, fps, smoothing) : even;
  const points = smooth.map(({ places }) => pointsOf(names, places));
  const sure = smooth.flatMap(({ isFound }, i) => (isFound ? (points[i] ?? []) : []));
  const seenBones = bonesOf(limbs, sure.length > 0 ? sure : points);
  const factor = wishes.height === undefined ? 1 : wishes.height / tallness(seenBones);
  const bones = scaled(seenBones, factor);
  const poses = posesOf(limbs, points, fps);
  const path = way === "followed" ? pathOf(moments, { fps, factor, ...(smoothing && { smoothing }) }) : [];
  const standing = stand(bones, poses, { way, path });
  return {
    motion: { bones, fps, poses: standing },
    moments: smooth.map((moment, i) => {
      const at = points[i];
      const hips = at ? between(at("left_hip"), at("right_hip")) : ZERO;
      const root = standing[i]?.root ?? ZERO;
      return { ...moment, places: moment.places.map((place) => plus(times(minus(place, hips), factor), root)) };
    }),
    height: tallness(bones),
  };
}

function pointsOf(names: readonly string[], places: readonly Vector[]): Points {
  const known = new Map(names.map((name, i) => [name, places[i] ?? ZERO]));
  return (name) => known.get(name) ?? ZERO;
}

/** From the lowest to the highest joint or tip, at rest. */
function tallness(bones: readonly Bone[]): number {
  const { places, turns } = placed(bones, { root: ZERO, rotations: [] });
  const heights = places.flatMap((place, i) => {
    const tip = bones[i]?.tip;
    return [place[1], ...(tip ? [plus(place, rotate(turns[i] ?? NO_ROTATION, tip))[1]] : [])];
  });
  return Math.max(...heights) - Math.min(...heights) || 1;
}

/**
 * Where the hips go in the picture, in metres from where they were first. One measure for all pictures, since nothing tells how far
 * away the person is: coming nearer is no way.
 */
function pathOf(
  moments: readonly Moment[],
  { fps, factor, smoothing }: { fps: number; factor: number; smoothing?: Smoothing },
): Vector[] {
  const bodies = moments.flatMap(({ body }) => body ?? []);
  const metre = median(bodies.map(({ pixelsPerMetre }) => pixelsPerMetre)) / factor;
  const [first] = bodies;
  const places = moments.map(({ seconds, body }) => ({
    ...{ seconds, isFound: body !== undefined, scores: [] },
    ...(body && first && { places: [way(first, body, metre)] }),
  }));
  const path = evenly(bridged(places), fps).map(({ places: [place = ZERO] }) => place);
  return smoothing ? smoothedPath(path, fps, smoothing) : path;
}

const way = (from: Body, to: Body, metre: number): Vector => [
  ...([(to.hips.x - from.hips.x) / metre, (from.hips.y - to.hips.y) / metre, 0] as const),
];

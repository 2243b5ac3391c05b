// Points of a body over time: gaps bridged, even in time, and smooth.
import { createOneEuro, type Smoothing } from "./one-euro.ts";
import { between, type Vector, ZERO } from "./vectors.ts";

/** What was seen at one moment. */
export type Seen = { seconds: number; places: readonly Vector[]; scores: readonly number[]; isFound: boolean };

/**
 * Moments at which nobody was found lie straight between those before and after; before the first and after the last it is
 * that one. There is at least one at which somebody was.
 */
export function bridged(moments: readonly (Omit<Seen, "places"> & { places?: readonly Vector[] })[]): Seen[] {
  const found = moments.flatMap(({ places, ...rest }) => (places ? [{ ...rest, places }] : []));
  let next = 0;
  return moments.map(({ seconds, places, ...rest }) => {
    while (next < found.length && (found[next]?.seconds ?? 0) < seconds) next++;
    const [before, after] = [found[next - 1] ?? found[next], found[next] ?? found[next - 1]];
    if (places || !before || !after) return { seconds, ...rest, places: places ?? [] };
    const share = shareOf(seconds, before.seconds, after.seconds);
    return { seconds, ...rest, places: mixed(before.places, after.places, share), scores: before.scores.map(() => 0) };
  });
}

/** As many moments, `fps` a second, each between those that it lies between; those that lie so already stay. */
export function evenly(moments: readonly Seen[], fps: number): Seen[] {
  const [first] = moments;
  if (!first) return [];
  const isEven = moments.every(({ seconds }, i) => Math.abs(seconds - first.seconds - i / fps) < 0.02 / fps);
  if (isEven) return [...moments];
  let at = 0;
  return moments.map((_, i) => {
    const seconds = first.seconds + i / fps;
    while (at < moments.length - 2 && (moments[at + 1]?.seconds ?? Infinity) <= seconds) at++;
    const [from = first, to = first] = [moments[at], moments[at + 1] ?? moments[at]];
    const share = shareOf(seconds, from.seconds, to.seconds);
    const near = share < 0.5 ? from : to;
    return { ...near, seconds, places: mixed(from.places, to.places, share) };
  });
}

const shareOf = (at: number, from: number, to: number) =>
  to > from ? Math.min(1, Math.max(0, (at - from) / (to - from))) : 0;

const mixed = (from: readonly Vector[], to: readonly Vector[], share: number) =>
  from.map((place, i) => between(place, to[i] ?? place, share));

/** Each coordinate of each point by a 1€ filter of its own. */
export function smoothed(moments: readonly Seen[], fps: number, smoothing: Smoothing): Seen[] {
  const filters = (moments[0]?.places ?? []).map(() => [0, 1, 2].map(() => createOneEuro(smoothing)));
  return moments.map(({ places, ...rest }) => ({
    ...rest,
    places: places.map((place, point): Vector => {
      const [x = 0, y = 0, z = 0] = place.map((value, axis) => filters[point]?.[axis]?.(value, 1 / fps) ?? value);
      return [x, y, z];
    }),
  }));
}

/** The same for one point. */
export const smoothedPath = (path: readonly Vector[], fps: number, smoothing: Smoothing): Vector[] =>
  smoothed(
    path.map((place) => ({ seconds: 0, places: [place], scores: [], isFound: true })),
    fps,
    smoothing,
  ).map(({ places }) => places[0] ?? ZERO);

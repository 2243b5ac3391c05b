// Rotations as unit quaternions, and between them and what files and models say: axes, six numbers, Euler's angles.
import { cross, direction, dot, plus, squareTo, times, type Vector, X, Y } from "./vectors.ts";

/** x, y, z, w, as glTF and SciPy order them; of length 1. */
export type Rotation = readonly [number, number, number, number];

export const NO_ROTATION: Rotation = [0, 0, 0, 1];

/** First b, then a. */
export const after = (a: Rotation, b: Rotation): Rotation => [
  ...([
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ] as const),
];

export const inverse = ([x, y, z, w]: Rotation): Rotation => [-x, -y, -z, w];

export function rotate([x, y, z, w]: Rotation, vector: Vector): Vector {
  const axis: Vector = [x, y, z];
  const twice = times(cross(axis, vector), 2);
  return plus(plus(vector, times(twice, w)), cross(axis, twice));
}

/** About a direction, counter-clockwise as seen from where it leads, in radians. */
export function about(axis: Vector, angle: number): Rotation {
  const [x, y, z] = times(axis, Math.sin(angle / 2));
  return [x, y, z, Math.cos(angle / 2)];
}

/** Of any length but 0; what has none is no rotation. */
export function normalised([x, y, z, w]: Rotation): Rotation {
  const size = Math.hypot(x, y, z, w);
  return size > 1e-9 ? [x / size, y / size, z / size, w / size] : NO_ROTATION;
}

const alike = (a: Rotation, b: Rotation) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];

/** The same rotation by the quaternion that is nearer to another: what lies between both is then the shorter way. */
export const nearTo = (near: Rotation, [x, y, z, w]: Rotation): Rotation =>
  alike(near, [x, y, z, w]) < 0 ? [-x, -y, -z, -w] : [x, y, z, w];

/** Along the shorter way, at even speed (Shoemake 1985). */
export function slerp(from: Rotation, to: Rotation, share: number): Rotation {
  const near = nearTo(from, to);
  const angle = Math.acos(Math.min(1, alike(from, near)));
  const [a, b] =
    angle < 1e-5
      ? [1 - share, share]
      : [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
  return normalised([
    ...([from[0] * a + near[0] * b, from[1] * a + near[1] * b] as const),
    ...([from[2] * a + near[2] * b, from[3] * a + near[3] * b] as const),
  ]);
}

/** The smallest rotation that turns one direction into another; of opposite ones, half a turn about what is square to both. */
export function fromTo(from: Vector, to: Vector): Rotation {
  const share = dot(from, to);
  if (share > -0.999999) {
    const [x, y, z] = cross(from, to);
    return normalised([x, y, z, 1 + share]);
  }
  const [x, y, z] = direction(cross(from, Math.abs(from[0]) < 0.9 ? X : Y)) ?? X;
  return [x, y, z, 0];
}

/** That turns X, Y and Z into these three, which are of length 1 and square to each other (Shepperd 1978). */
export function fromAxes([a, b, c]: readonly [Vector, Vector, Vector]): Rotation {
  const trace = a[0] + b[1] + c[2];
  const candidates = [trace, a[0], b[1], c[2]];
  const largest = candidates.indexOf(Math.max(...candidates));
  if (largest === 0) return normalised([b[2] - c[1], c[0] - a[2], a[1] - b[0], 1 + trace]);
  if (largest === 1) return normalised([1 + a[0] - b[1] - c[2], b[0] + a[1], c[0] + a[2], b[2] - c[1]]);
  if (largest === 2) return normalised([b[0] + a[1], 1 - a[0] + b[1] - c[2], c[1] + b[2], c[0] - a[2]]);
  return normalised([c[0] + a[2], c[1] + b[2], 1 - a[0] - b[1] + c[2], a[1] - b[0]]);
}

/** Turns the direction `main` into `mainTo` and the direction `side`, square to it, as near to `sideTo` as goes then. */
export function turned(of: { main: Vector; mainTo: Vector; side: Vector; sideTo: Vector }): Rotation | undefined {
  const across = direction(squareTo(of.sideTo, of.mainTo));
  if (across === undefined) return undefined;
  const rest = fromAxes([of.main, of.side, cross(of.main, of.side)]);
  return after(fromAxes([of.mainTo, across, cross(of.mainTo, across)]), inverse(rest));
}

/**
 * Six numbers are two columns of a matrix, the first made one unit long, the second square to it (Zhou et al., "On the Continuity of
 * Rotation Representations in Neural Networks", CVPR 2019).
 */
export function fromSix(first: Vector, second: Vector): Rotation {
  const a = direction(first) ?? X;
  const b = direction(squareTo(second, a)) ?? direction(cross(Math.abs(a[2]) < 0.9 ? [0, 0, 1] : X, a)) ?? Y;
  return fromAxes([a, b, cross(a, b)]);
}

/**
 * Angles about Z, then X, then Y of what has been turned so far, as BVH's channels have them, in radians. Where the second is a quarter
 * turn, the third is 0.
 */
export function anglesOf(rotation: Rotation): { z: number; x: number; y: number } {
  const [x, y, z, w] = rotation;
  // The matrix is Rz·Rx·Ry: its last row is (-cos x sin y, sin x, cos x cos y), the middle column's top -sin z cos x.
  const sine = 2 * (y * z + x * w);
  const angle = Math.asin(Math.max(-1, Math.min(1, sine)));
  if (Math.abs(sine) > 1 - 1e-12)
    return { z: Math.atan2(2 * (x * y + z * w), 1 - 2 * (y * y + z * z)), x: angle, y: 0 };
  return {
    z: Math.atan2(-2 * (x * y - z * w), 1 - 2 * (x * x + z * z)),
    x: angle,
    y: Math.atan2(-2 * (x * z - y * w), 1 - 2 * (x * x + y * y)),
  };
}

/** How far two rotations are apart, in radians. */
export const angleBetween = (a: Rotation, b: Rotation): number => 2 * Math.acos(Math.min(1, Math.abs(alike(a, b))));

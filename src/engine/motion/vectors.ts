// Vectors of three numbers: metres, with x to the left of a figure that faces z, and y up.
export type Vector = readonly [number, number, number];

export const ZERO: Vector = [0, 0, 0];
export const X: Vector = [1, 0, 0];
export const Y: Vector = [0, 1, 0];
export const Z: Vector = [0, 0, 1];

export const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
/** From b to a. */
export const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const times = (a: Vector, factor: number): Vector => [a[0] * factor, a[1] * factor, a[2] * factor];
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vector): number => Math.hypot(a[0], a[1], a[2]);
export const between = (a: Vector, b: Vector, share = 0.5): Vector => plus(a, times(minus(b, a), share));

export const cross = (a: Vector, b: Vector): Vector => [
  ...([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]] as const),
];

/** Of length 1; undefined for what has none, as far as a division can be trusted. */
export function direction(a: Vector): Vector | undefined {
  const size = length(a);
  return size > 1e-9 ? times(a, 1 / size) : undefined;
}

/** What of `a` stands square on the direction `axis`. */
export const squareTo = (a: Vector, axis: Vector): Vector => minus(a, times(axis, dot(a, axis)));

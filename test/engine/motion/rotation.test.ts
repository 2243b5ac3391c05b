// Rotations against SciPy's.
import { expect, test } from "bun:test";
import {
  about,
  after,
  angleBetween,
  anglesOf,
  fromSix,
  fromTo,
  NO_ROTATION,
  type Rotation,
  rotate,
  slerp,
  turned,
} from "../../../src/engine/motion/rotation.ts";
import { direction, dot, squareTo, type Vector, X, Y, Z } from "../../../src/engine/motion/vectors.ts";
import { motionJson } from "../support/motion.ts";

const golden = motionJson<{
  quaternions: Rotation[];
  anglesZXY: Vector[];
  vectors: Vector[];
  rotated: Vector[];
  products: Rotation[];
  slerp: Rotation[];
  six: number[][];
  ofSix: Rotation[];
}>("rotations");

const expectSame = (found: Rotation | undefined, wanted: Rotation | undefined) =>
  expect(angleBetween(found ?? NO_ROTATION, wanted ?? NO_ROTATION)).toBeLessThan(1e-6);
const pairs = golden.products.map(
  (_, i) => [golden.quaternions[i] ?? NO_ROTATION, golden.quaternions[i + 1] ?? NO_ROTATION] as const,
);

test("turn vectors, follow each other and lie between each other as SciPy's do", () => {
  for (const [i, quaternion] of golden.quaternions.entries())
    for (const [axis, value] of rotate(quaternion, golden.vectors[i] ?? X).entries())
      expect(value).toBeCloseTo(golden.rotated[i]?.[axis] ?? NaN, 9);
  for (const [i, [a, b]] of pairs.entries()) {
    expectSame(after(a, b), golden.products[i]);
    expectSame(slerp(a, b, 0.3), golden.slerp[i]);
  }
});

test("six numbers are SciPy's rotation of the same two columns", () => {
  for (const [i, [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]] of golden.six.entries())
    expectSame(fromSix([a, b, c], [d, e, f]), golden.ofSix[i]);
});

test("angles about Z, X and Y are SciPy's, and turn back into the rotation also where the second is a quarter turn", () => {
  for (const [i, wanted] of golden.anglesZXY.entries()) {
    const { z, x, y } = anglesOf(golden.quaternions[i] ?? NO_ROTATION);
    for (const [k, angle] of [z, x, y].entries()) expect(angle).toBeCloseTo(wanted[k] ?? NaN, 6);
  }
  expect(golden.quaternions.length).toBeGreaterThan(golden.anglesZXY.length);
  for (const quaternion of golden.quaternions) {
    const { z, x, y } = anglesOf(quaternion);
    const again = after(about(Z, z), after(about(X, x), about(Y, y)));
    expect(angleBetween(again, quaternion)).toBeLessThan(1e-5);
  }
});

test("the smallest turn from one direction to another, also to the opposite one", () => {
  for (const vector of golden.vectors) {
    const to = direction(vector) ?? X;
    const turn = fromTo(Y, to);
    expect(dot(rotate(turn, Y), to)).toBeCloseTo(1, 9);
    expect(angleBetween(turn, NO_ROTATION)).toBeCloseTo(Math.acos(dot(Y, to)), 6);
  }
  for (const axis of [X, Y, Z]) {
    const [x, y, z] = axis;
    expect(dot(rotate(fromTo(axis, [-x, -y, -z]), axis), axis)).toBeCloseTo(-1, 9);
  }
});

test("a direction is followed exactly, one beside it as far as that leaves it free", () => {
  for (const [i, vector] of golden.vectors.entries()) {
    const mainTo = direction(vector) ?? X;
    const sideTo = golden.rotated[i] ?? Y;
    const turn = turned({ main: Y, mainTo, side: X, sideTo }) ?? NO_ROTATION;
    expect(dot(rotate(turn, Y), mainTo)).toBeCloseTo(1, 9);
    expect(dot(rotate(turn, X), direction(squareTo(sideTo, mainTo)) ?? X)).toBeCloseTo(1, 9);
  }
  expect(turned({ main: Y, mainTo: Z, side: X, sideTo: [0, 0, 2] })).toBeUndefined();
});

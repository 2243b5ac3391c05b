// The 1€ filter against its authors' package.
import { expect, test } from "bun:test";
import { createOneEuro } from "../../../src/engine/motion/one-euro.ts";
import { motionJson } from "../support/motion.ts";

type Case = { fps: number; minCutoff: number; beta: number; values: number[]; smooth: number[] };

test.each(motionJson<Case[]>("one-euro"))("smooths as its authors' does: $minCutoff Hz, beta $beta", (given) => {
  const filter = createOneEuro(given);
  for (const [i, value] of given.values.entries())
    expect(filter(value, 1 / given.fps)).toBeCloseTo(given.smooth[i] ?? NaN, 12);
});

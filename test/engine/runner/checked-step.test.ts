// What a run says it did is billed: amounts that are none fail it, before they reach the books.
import { expect, test } from "bun:test";
import { checkedStep } from "../../../src/engine/runner/checked-step.ts";

const output = (units: Record<string, number>, value: unknown = {}) => ({ type: "output" as const, value, units });

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])("a run that counted %p images failed", (images) => {
  expect(() => checkedStep(output({ images }), {})).toThrow(`counted ${images} images`);
});

test("amounts that can be are believed, none and a million tokens too", () => {
  const steps = [output({ images: 0 }), output({ megapixels: 0.25, tokens: 1e6 }), output({})];
  for (const step of steps) expect(checkedStep(step, {})).toBe(step);
});

test("numbers that are none fail a trial of new weights, and no caller's run", () => {
  const step = output({ requests: 1 }, { embedding: [0.5, Number.NaN] });
  expect(() => checkedStep(step, { isTrial: true })).toThrow("NaN where a number should be");
  expect(checkedStep(step, {})).toBe(step);
});

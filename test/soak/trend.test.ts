import { expect, test } from "bun:test";
import { seededRandom } from "../support/seeded-random.ts";
import { judge, quantile } from "./trend.ts";

const random = seededRandom(7);
/** Forty-five minutes, a sample every five seconds, of a heap that is collected now and then. */
const sawtooth = (leakPerHour: number, warmUp = 0) =>
  Array.from({ length: 540 }, (_, index) => {
    const seconds = index * 5;
    const garbage = (index % 23) + random() * 10;
    const early = warmUp * Math.min(1, seconds / 600);
    return { seconds, value: 150 + early + garbage + (leakPerHour * seconds) / 3600 };
  });
const limit = { limitPerHour: 10, slack: 3 };

test("a leak shows through the ups and downs of garbage", () => {
  const verdict = judge(sawtooth(30), limit);
  expect(verdict.isSteady).toBe(false);
  expect(verdict.perHour).toBeWithin(25, 35);
  // What a short run is let off does not count in a long one.
  expect(judge(sawtooth(30), { ...limit, slack: 1000 }).isSteady).toBe(false);
});

test("what fills up while it gets warm, and stays, is no leak", () => {
  const verdict = judge(sawtooth(0, 120), limit);
  expect(verdict.isSteady).toBe(true);
  expect(verdict.perHour).toBeWithin(-5, 5);
});

test("a peak or two turn nothing", () => {
  const samples = sawtooth(0).map((sample, index) => (index > 530 ? { ...sample, value: 900 } : sample));
  expect(judge(samples, limit).isSteady).toBe(true);
});

test("a step within the slack of a short run is no leak, a larger one is", () => {
  const step = (by: number) => Array.from({ length: 30 }, (_, index) => ({ seconds: index, value: (by * index) / 20 }));
  expect(judge(step(2), limit).isSteady).toBe(true);
  expect(judge(step(20), limit).isSteady).toBe(false);
});

test("quantiles are values that are there", () => {
  expect([0, 0.5, 1].map((share) => quantile([3, 1, 2], share))).toEqual([1, 2, 3]);
  expect(quantile([], 0.5)).toBeNaN();
});

// When a failed webhook is tried again.
import { expect, test } from "bun:test";
import { attemptTimeout, MOST_ATTEMPTS, nextAttempt } from "../../../src/control/webhooks/retry-schedule.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";

const now = instant(1_000_000);
const firstWait = milliseconds(5_000);
const MONTH = 30 * 24 * 60 * 60 * 1000;
const after = (attempts: number, life = MONTH) =>
  nextAttempt({ attempts, now, firstWait, endOfLife: instant(now + life) });

test("waits double from five seconds up to an hour", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 30].map((attempts) => ((after(attempts) ?? now) - now) / 1000);
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
});

test("after the thirty-first attempt there is none", () => {
  expect(MOST_ATTEMPTS).toBe(31);
  expect(after(30)).toBeDefined();
  expect(after(31)).toBeUndefined();
});

test("a receiver may be down over night, and no attempt outlives the result", () => {
  let span = 0;
  for (let attempts = 1; attempts < MOST_ATTEMPTS; attempts++) span += (after(attempts) ?? now) - now;
  expect(span / 3_600_000).toBeWithin(20, 24);
  expect(after(1, 5_001)).toBe(instant(now + 5_000));
  expect(after(1, 5_000)).toBeUndefined();
});

test("the first attempt has 15 seconds, the others 120", () => {
  expect([0, 1, 30].map(attemptTimeout)).toEqual([15_000, 120_000, 120_000].map(milliseconds));
});

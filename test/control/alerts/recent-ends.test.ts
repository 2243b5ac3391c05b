import { expect, test } from "bun:test";
import { createRecentEnds } from "../../../src/control/alerts/recent-ends.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { createTestClock } from "../../support/test-clock.ts";

const MINUTE = 60_000;

function recentEnds() {
  const clock = createTestClock();
  return { clock, ends: createRecentEnds({ within: milliseconds(5 * MINUTE), clock }) };
}

test("what ended within the time counts, what ended before it does not", () => {
  const { clock, ends } = recentEnds();
  for (const isFailure of [true, false, false]) ends.add(isFailure);
  clock.advance(4 * MINUTE);
  ends.add(true);
  expect(ends.counts()).toEqual({ all: 4, failed: 2 });
  clock.advance(1.2 * MINUTE);
  expect(ends.counts()).toEqual({ all: 1, failed: 1 });
  clock.advance(60 * MINUTE);
  expect(ends.counts()).toEqual({ all: 0, failed: 0 });
});

test("none is left out while it is within the time, however closely they follow", () => {
  const { clock, ends } = recentEnds();
  for (let at = 0; at < 5 * MINUTE; at += 100) {
    ends.add(false);
    clock.advance(100);
  }
  expect(ends.counts().all).toBe((5 * MINUTE) / 100);
});

test("a clock that was set back leaves nothing behind that counts for ever", () => {
  const { clock, ends } = recentEnds();
  ends.add(true);
  clock.jump(-2 * MINUTE);
  ends.add(false);
  expect(ends.counts()).toEqual({ all: 1, failed: 0 });
  clock.advance(6 * MINUTE);
  expect(ends.counts()).toEqual({ all: 0, failed: 0 });
});

import { expect, test } from "bun:test";
import { createWatchdog } from "../../../src/control/fleet/watchdog.ts";
import type { Timers } from "../../../src/core/clock.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { createTestClock } from "../../support/test-clock.ts";

/** `meanwhile` happens between a timer and the next turn of the event loop. */
function watch(meanwhile = () => {}) {
  const clock = createTestClock();
  const timers: Timers = {
    after(delay, call) {
      if (delay === 0) meanwhile();
      return clock.after(delay, call);
    },
  };
  const barks: string[] = [];
  const dog = createWatchdog({
    timers,
    silence: milliseconds(100),
    total: milliseconds(1000),
    onExpired: (reason) => barks.push(reason),
  });
  return { advance: clock.advance, barks, dog };
}

test("silence for too long is reported once", () => {
  const { advance, barks } = watch();
  advance(99);
  expect(barks).toEqual([]);
  advance(1);
  advance(5000);
  expect(barks).toEqual(["silence"]);
});

test("signs of life put it off, until the time in all is over", () => {
  const { advance, barks, dog } = watch();
  for (let at = 0; at < 999; at += 50) {
    advance(50);
    if (at < 950) dog.feed();
  }
  expect(barks).toEqual(["total"]);
});

test("a sign of life that lies unread when the time is up still counts", () => {
  let unread = 1;
  const { advance, barks, dog } = watch(() => {
    if (unread-- > 0) dog.feed();
  });
  advance(199);
  expect(barks).toEqual([]);
  advance(1);
  expect(barks).toEqual(["silence"]);
});

test("a stopped one is silent for ever", () => {
  const { advance, barks, dog } = watch();
  dog.stop();
  advance(10_000);
  expect(barks).toEqual([]);
});

test("silence counts from the latest sign of life, and is noticed within a quarter of its time", () => {
  const { advance, barks, dog } = watch();
  advance(55);
  dog.feed();
  advance(99);
  expect(barks).toEqual([]);
  advance(26);
  expect(barks).toEqual(["silence"]);
});

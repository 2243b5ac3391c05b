// Time that stands still until a test moves it.
import type { Clock, Timers } from "../../src/core/clock.ts";
import { type Instant, instant, milliseconds } from "../../src/core/units.ts";

export type TestClock = Clock &
  Timers & {
    /** Moves time on; timers that come due are called in their order, each at its own moment. */
    advance(ms: number): void;
    /** Moves the clock as an operator or a time server does: timers do not notice. */
    jump(ms: number): void;
    pending(): number;
  };

type Waiting = { at: number; call: () => void };

export function createTestClock(start = 1_800_000_000_000): TestClock {
  let now = start;
  let offset = 0;
  const timers = new Set<Waiting>();

  const nextDue = (until: number) => [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];

  return {
    now: (): Instant => instant(now + offset),
    steady: () => milliseconds(now),
    after(delay, call) {
      const timer = { at: now + Math.max(0, delay), call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const until = now + ms;
      for (let timer = nextDue(until); timer; timer = nextDue(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.call();
      }
      now = until;
    },
    jump(ms) {
      offset += ms;
    },
    pending: () => timers.size,
  };
}

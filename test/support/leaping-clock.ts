// A clock that stands still but for a test's leaps, with timers that come due by themselves as well: real processes take their real
// time meanwhile, and however long that is, it is none by this clock.
import { type Clock, systemTimers, type Timers } from "../../src/core/clock.ts";
import { instant } from "../../src/core/units.ts";

export type LeapingClock = Clock & Timers & { leap(ms: number): void };

type Waiting = { at: number; fire: () => void };

export function createLeapingClock(): LeapingClock {
  let now = 1_800_000_000_000;
  const waiting = new Set<Waiting>();
  return {
    now: () => instant(now),
    after(delay, call) {
      const timer: Waiting = {
        at: now + delay,
        fire() {
          callOff();
          if (waiting.delete(timer)) call();
        },
      };
      const callOff = systemTimers.after(delay, timer.fire);
      waiting.add(timer);
      return () => {
        callOff();
        waiting.delete(timer);
      };
    },
    leap(ms) {
      now += ms;
      for (const { fire } of [...waiting].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)) fire();
    },
  };
}

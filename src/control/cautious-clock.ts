// The time by which things are removed for good. A clock that is suddenly far ahead, as after a dead battery or a slip of the hand, is
// wrong more often than not, and what it removes does not come back when it is set right.
import { type Clock, steady } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { type Instant, instant } from "../core/units.ts";

/** So far ahead a clock comes to be by itself, while nobody asks for the time. */
const USUAL_MS = 60 * 60 * 1000;
/** So long it must have stayed before it is believed: a box that was off for weeks removes what is over a day late. */
const STAYED_MS = 24 * 60 * 60 * 1000;
/** Of this an operator hears. */
const TELLING_MS = 7 * 24 * 60 * 60 * 1000;

/** `known`: when something happened last, as far as the disk tells. A clock that was set back is believed at once. */
export function cautiousClock(clock: Clock, { known, log }: { known: Instant | undefined; log: Log }): Clock {
  let believed = { at: Math.min(known ?? Number.POSITIVE_INFINITY, clock.now()), steadyAt: steady(clock) };
  let doubtedSince: number | undefined;
  const doubt = (ahead: number) => {
    doubtedSince = steady(clock);
    if (ahead < TELLING_MS) return;
    const days = Math.round(ahead / STAYED_MS);
    log.warn(`the clock is ${days} days ahead of what was known; what is over by it alone is kept for another day`, {
      clock: new Date(clock.now()).toISOString(),
    });
  };
  return {
    now() {
      const [now, steadyAt] = [clock.now(), steady(clock)];
      const expected = believed.at + steadyAt - believed.steadyAt;
      const isAhead = now - expected > USUAL_MS;
      if (isAhead && doubtedSince === undefined) doubt(now - expected);
      if (isAhead && steadyAt - (doubtedSince ?? steadyAt) < STAYED_MS) return instant(Math.round(expected));
      believed = { at: now, steadyAt };
      doubtedSince = undefined;
      return now;
    },
    steady: () => steady(clock),
  };
}

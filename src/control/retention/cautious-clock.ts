// The time by which things are removed for good. A clock that is suddenly far ahead, as after a dead battery or a slip of the hand, is
// wrong more often than not, and what it removes does not come back when it is set right. How much time has passed is known without it
// while this process runs, and over its restarts while the machine does; only what passed while the machine was off is the clock's word, or
// that of a time server.
import { type Clock, steady } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { ClockMark } from "./clock-mark-store.ts";
import type { IsConfirmed } from "./time-server.ts";
import type { ReadUptime } from "./uptime.ts";

/** So far ahead a clock comes to be by itself, by drift and when it is set right. */
const USUAL_MS = 60 * 60 * 1000;
/** So long it must have stayed before it is believed; restarts do not begin it anew. */
const STAYED_MS = 24 * 60 * 60 * 1000;
/** So long a machine may have been off that is believed at once: were the clock wrong by no more, nothing would go more than a day early. */
const OFF_MS = 24 * 60 * 60 * 1000;
/** Of this an operator hears. */
const TELLING_MS = 7 * 24 * 60 * 60 * 1000;

type CautiousClock = Clock & {
  /** What the next server goes on from. */
  mark(): ClockMark;
};

type Parts = {
  /** As an earlier server left it. */
  mark?: ClockMark | undefined;
  /** Without a mark: when something happened last, as far as the disk tells. */
  known: Instant | undefined;
  uptime?: ReadUptime;
  /** Without it no time server is known of. */
  isConfirmed?: IsConfirmed;
  log: Log;
};

/** A clock that was set back is believed at once, and so is one that a time server has just set. */
export function cautiousClock(clock: Clock, { mark, known, uptime = () => undefined, ...parts }: Parts): CautiousClock {
  const { isConfirmed = () => false, log } = parts;
  const passed = () => uptime()?.ms ?? steady(clock);
  const begun = uptime();
  const since = sinceMark(mark, begun);
  const start = mark ? mark.at + (since ?? 0) : (known ?? Number.POSITIVE_INFINITY);
  let believed = { at: Math.min(start, clock.now()), passed: passed() };
  /** Until the clock is believed for the first time. */
  let allowed = mark && since === undefined ? OFF_MS : USUAL_MS;
  /** By what has passed; a doubt that an earlier server had goes on. */
  let doubtedSince = mark?.doubtedMs === undefined ? undefined : believed.passed - mark.doubtedMs - (since ?? 0);

  const doubt = (ahead: number, at: number) => {
    doubtedSince = at;
    if (ahead < TELLING_MS) return;
    const days = Math.round(ahead / STAYED_MS);
    log.warn(`the clock is ${days} days ahead of what was known; what is over by it alone is kept for another day`, {
      clock: new Date(clock.now()).toISOString(),
    });
  };
  const look = () => {
    const [now, at] = [clock.now(), passed()];
    const expected = believed.at + at - believed.passed;
    const isAhead = now - expected > allowed && !isConfirmed(now);
    if (isAhead && doubtedSince === undefined) doubt(now - expected, at);
    if (isAhead && at - (doubtedSince ?? at) < STAYED_MS) return instant(Math.round(expected));
    believed = { at: now, passed: at };
    allowed = USUAL_MS;
    doubtedSince = undefined;
    return now;
  };
  return {
    now: look,
    steady: () => steady(clock),
    mark() {
      const [at, here] = [look(), uptime()];
      return {
        at,
        ...(here && { boot: here.boot, uptimeMs: here.ms }),
        ...(doubtedSince !== undefined && { doubtedMs: Math.round(passed() - doubtedSince) }),
      };
    },
  };
}

/** Undefined where the machine, or the container with an uptime of its own, was started anew since. */
function sinceMark(mark: ClockMark | undefined, here: ReturnType<ReadUptime>): number | undefined {
  if (mark?.boot === undefined || mark.uptimeMs === undefined || mark.boot !== here?.boot) return undefined;
  return here.ms < mark.uptimeMs ? undefined : here.ms - mark.uptimeMs;
}

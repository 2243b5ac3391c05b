// The passing of time, as a parameter: tests hand in their own.
import { type Instant, instant, type Milliseconds } from "./units.ts";

export type Clock = { now(): Instant };

export const systemClock: Clock = { now: () => instant(Date.now()) };

/** Calls back once after a delay; the returned function calls it off. A waiting timer does not keep the process alive. */
export type Timers = { after(delay: Milliseconds, call: () => void): () => void };

/**
 * `setTimeout` fires at once for delays beyond 2^31-1 ms; a timer that fires early is harmless to those who look again. Of
 * what is due already it warns on the standard error, between the lines of the log.
 */
const LONGEST_DELAY = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after(delay, call) {
    const timer = setTimeout(call, Math.max(0, Math.min(delay, LONGEST_DELAY)));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

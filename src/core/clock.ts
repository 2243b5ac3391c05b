// The passing of time, as a parameter: tests hand in their own.
import { type Instant, instant, type Milliseconds, milliseconds } from "./units.ts";

export type Clock = {
  now(): Instant;
  /** See `steady`; a clock without it is never set. */
  steady?(): Milliseconds;
};

export const systemClock: Clock = {
  now: () => instant(Date.now()),
  steady: () => milliseconds(performance.now()),
};

/**
 * Milliseconds since some moment or other, which go on evenly when the clock is set: two of them tell how long something took,
 * and what it costs.
 */
export const steady = (clock: Clock): Milliseconds => clock.steady?.() ?? milliseconds(clock.now());

/**
 * Begins with the clock and goes on evenly when that is set: for what is compared within this process alone, as how long something
 * waits. What is kept, or told to people, is of the clock itself.
 */
export function evenClock(clock: Clock): Clock {
  const ahead = clock.now() - steady(clock);
  return { now: () => instant(Math.round(ahead + steady(clock))), steady: () => steady(clock) };
}

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

// Notices a runner that has stopped answering, or that takes longer than its batch may.
import type { Timers } from "../../core/clock.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";

export type WatchdogOptions = {
  timers: Timers;
  /** Longest time between two signs of life. */
  silence: Milliseconds;
  /** Longest time in all. */
  total: Milliseconds;
  /** Called at most once. */
  onExpired(reason: "silence" | "total"): void;
};

export type Watchdog = {
  /** A sign of life. */
  feed(): void;
  stop(): void;
};

/** Barks only after the event loop has read what lies in the channel already: the server may have been the slow one. */
export function createWatchdog({ timers, silence, total, onExpired }: WatchdogOptions): Watchdog {
  let meals = 0;
  let isStopped = false;
  let callOffSilence = () => {};
  const callOffTotal = timers.after(total, () => lookAgain("total", () => true));

  function lookAgain(reason: "silence" | "total", isStillSo: () => boolean): void {
    timers.after(milliseconds(0), () => {
      if (isStopped || !isStillSo()) return;
      stop();
      onExpired(reason);
    });
  }
  function feed(): void {
    const meal = ++meals;
    callOffSilence();
    callOffSilence = timers.after(silence, () => lookAgain("silence", () => meals === meal));
  }
  function stop(): void {
    isStopped = true;
    callOffSilence();
    callOffTotal();
  }
  feed();
  return { feed, stop };
}

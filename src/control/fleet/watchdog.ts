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

/** Silence is noticed up to a quarter of its time late: a timer for each sign of life would cost more than the message that is one. */
const LOOKS = 4;

/** Barks only after the event loop has read what lies in the channel already: the server may have been the slow one. */
export function createWatchdog({ timers, silence, total, onExpired }: WatchdogOptions): Watchdog {
  let meals = 0;
  let isStopped = false;
  let callOffSilence = () => {};
  const callOffTotal = timers.after(total, () => lookAgain("total", () => true));
  const watch = (mealsThen: number, quietLooks: number): void => {
    callOffSilence = timers.after(milliseconds(silence / LOOKS), () => {
      const isQuiet = meals === mealsThen;
      if (isQuiet && quietLooks + 1 === LOOKS) lookAgain("silence", () => meals === mealsThen);
      else watch(meals, isQuiet ? quietLooks + 1 : 0);
    });
  };

  function lookAgain(reason: "silence" | "total", isStillSo: () => boolean): void {
    timers.after(milliseconds(0), () => {
      if (isStopped) return;
      if (!isStillSo()) return watch(meals, 0);
      stop();
      onExpired(reason);
    });
  }
  function stop(): void {
    isStopped = true;
    callOffSilence();
    callOffTotal();
  }
  watch(meals, 0);
  return {
    feed: () => {
      meals++;
    },
    stop,
  };
}

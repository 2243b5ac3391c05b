// Waiting that an AbortSignal ends early.
import type { Timers } from "./clock.ts";
import { type Milliseconds, milliseconds } from "./units.ts";

/** Like `systemTimers`, but a waiting timer keeps the process alive: a command that waits for the Hub must not just end. */
export const foregroundTimers: Timers = {
  after(delay, call) {
    const timer = setTimeout(call, delay);
    return () => clearTimeout(timer);
  },
};

/** Rejects with the signal's reason. */
export function wait(delay: number, { timers, signal }: { timers: Timers; signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = timers.after(milliseconds(Math.max(0, Math.ceil(delay))), resolve);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => {
    cancel();
    signal.removeEventListener("abort", onAbort);
  });
}

/** A timer that is wound up again with every sign of life; `onSilence` is called once when none comes for `limit`. */
export function watchdog(limit: Milliseconds, { timers, onSilence }: { timers: Timers; onSilence: () => void }) {
  let stop = timers.after(limit, onSilence);
  return {
    alive() {
      stop();
      stop = timers.after(limit, onSilence);
    },
    /** Until the next `alive`. */
    pause: () => stop(),
    [Symbol.dispose]: () => stop(),
  };
}

// A limit on bytes per second, shared by everything that is handed the same one.
import { type Clock, systemClock, type Timers } from "../../../core/clock.ts";
import { foregroundTimers, wait } from "../../../core/wait.ts";

export type Bandwidth = {
  /** Resolves when these bytes may count as received; rejects with the signal's reason. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
};

export const unlimited: Bandwidth = { take: async () => {} };

/**
 * A token bucket that holds one second's worth. A taker may overdraw it and then waits until the debt is paid, so that
 * a chunk larger than the bucket passes too, and later takers stand behind the debt of earlier ones.
 */
export function createBandwidth({
  bytesPerSecond,
  clock = systemClock,
  timers = foregroundTimers,
}: {
  bytesPerSecond: number;
  clock?: Clock;
  timers?: Timers;
}): Bandwidth {
  let tokens = bytesPerSecond;
  let filledAt = clock.now();
  return {
    async take(bytes, signal) {
      const now = clock.now();
      tokens = Math.min(bytesPerSecond, tokens + (bytesPerSecond * Math.max(0, now - filledAt)) / 1000);
      filledAt = now;
      tokens -= bytes;
      if (tokens < 0) await wait((-tokens / bytesPerSecond) * 1000, { timers, signal });
    },
  };
}

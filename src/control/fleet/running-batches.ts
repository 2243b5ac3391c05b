// The batches that one runner works on, each with its watchdog and, once it is cancelled, its grace period.
import type { Timers } from "../../core/clock.ts";
import type { BatchId } from "../../core/ids.ts";
import type { Milliseconds } from "../../core/units.ts";
import type { FleetLimits } from "./limits.ts";
import { createWatchdog, type Watchdog } from "./watchdog.ts";

export type RunningBatches = {
  readonly size: number;
  ids(): BatchId[];
  has(batch: BatchId): boolean;
  begin(batch: BatchId, watch: { total: Milliseconds; onExpired(reason: "silence" | "total"): void }): void;
  /** A sign of life of this batch; without one, of the process, which is one of them all. */
  feed(batch?: BatchId): void;
  /** From now on it has the grace period to come to an end. */
  grace(batch: BatchId, onIgnored: () => void): void;
  end(batch: BatchId): void;
  /** No timer runs any more; the batches stay known. */
  callOff(): void;
};

type Watched = { watchdog: Watchdog; callOffGrace: () => void };

export function createRunningBatches({ timers, limits }: { timers: Timers; limits: FleetLimits }): RunningBatches {
  const batches = new Map<BatchId, Watched>();
  const stop = ({ watchdog, callOffGrace }: Watched) => {
    watchdog.stop();
    callOffGrace();
  };
  return {
    get size() {
      return batches.size;
    },
    ids: () => [...batches.keys()],
    has: (batch) => batches.has(batch),
    begin(batch, watch) {
      const watchdog = createWatchdog({ timers, silence: limits.silence, ...watch });
      batches.set(batch, { watchdog, callOffGrace: () => {} });
    },
    feed(batch) {
      const fed = batch === undefined ? batches.values() : [batches.get(batch)];
      for (const each of fed) each?.watchdog.feed();
    },
    grace(batch, onIgnored) {
      const watched = batches.get(batch);
      if (!watched) return;
      watched.callOffGrace();
      watched.callOffGrace = timers.after(limits.cancel, onIgnored);
    },
    end(batch) {
      const watched = batches.get(batch);
      if (watched) stop(watched);
      batches.delete(batch);
    },
    callOff() {
      for (const watched of batches.values()) stop(watched);
    },
  };
}

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
  /** That a message about this job of it can be: it runs, or it has ended of late. */
  isKnown(batch: BatchId, index?: number): boolean;
  begin(
    batch: BatchId,
    watch: { jobs: number; total: Milliseconds; onExpired(reason: "silence" | "total"): void },
  ): void;
  /** A sign of life of this batch; without one, of the process, which is one of them all. */
  feed(batch?: BatchId): void;
  /** From now on it has the grace period to come to an end. */
  grace(batch: BatchId, onIgnored: () => void): void;
  end(batch: BatchId): void;
  /** No timer runs any more; the batches stay known. */
  callOff(): void;
};

type Watched = { jobs: number; watchdog: Watchdog; callOffGrace: () => void };

/** What a pipeline still says of a batch that is over, as in a callback, is late and no fault. */
const ENDED_KNOWN = 100;

export function createRunningBatches({ timers, limits }: { timers: Timers; limits: FleetLimits }): RunningBatches {
  const batches = new Map<BatchId, Watched>();
  const ended = new Set<BatchId>();
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
    isKnown(batch, index = 0) {
      const jobs = batches.get(batch)?.jobs;
      return jobs === undefined ? ended.has(batch) : index < jobs;
    },
    begin(batch, { jobs, ...watch }) {
      const watchdog = createWatchdog({ timers, silence: limits.silence, ...watch });
      batches.set(batch, { jobs, watchdog, callOffGrace: () => {} });
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
      if (!batches.delete(batch)) return;
      ended.add(batch);
      const [oldest] = ended;
      if (ended.size > ENDED_KNOWN && oldest !== undefined) ended.delete(oldest);
    },
    callOff() {
      for (const watched of batches.values()) stop(watched);
    },
  };
}

// Finished jobs, their results and their files are kept for a while, then removed; uploads whose time is over too.
import type { Clock, Timers } from "../../core/clock.ts";
import type { FileToken, JobId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Uploads } from "../storage/uploads.ts";
import type { JobLedger } from "./ledger.ts";

export type Expiry = {
  start(): void;
  stop(): void;
  /** Removes what is older than the retention; resolves to the number of jobs. */
  sweep(): Promise<number>;
  /** Removes payloads, output files that were to end before their job, and uploads whose time is over; resolves to how many these were. */
  sweepParts(): Promise<number>;
};

const PERIOD = milliseconds(60 * 60 * 1000);
/** Who wants something forgotten within an hour does not want it found an hour later. */
const PARTS_PERIOD = milliseconds(60 * 1000);
/** Between two of these the server does its other work. */
const JOBS_AT_ONCE = 200;

export type ExpiryParts = {
  ledger: JobLedger;
  /** Inside a write. */
  forgetFiles: (token: FileToken) => void;
  /** Swept along with the jobs. */
  uploads?: Pick<Uploads, "sweep" | "removeExpired">;
  /** Likewise: what they keep is kept as long. */
  others?: { removeBefore(before: Instant): Promise<void> }[];
  /** Jobs that stay with all that they gave, however old: others that go on need it. */
  needed?: () => JobId[];
  /** A step of what the database gives back to the disk; false when that is all. */
  shrink?: () => boolean;
  retention: Milliseconds;
  clock: Clock;
  timers: Timers;
  log: Log;
};

export function createExpiry(expiryParts: ExpiryParts): Expiry {
  const { ledger, uploads, others = [], shrink = () => false, retention, clock, timers, log } = expiryParts;
  const { writes } = ledger;
  let [cancel, cancelParts] = [() => {}, () => {}];
  let isStopped = false;

  const oldest = () => instant(clock.now() - retention);
  const { sweep, sweepParts } = createSweeps({ ...expiryParts, oldest, isStopped: () => isStopped });
  const plan = () => {
    cancel = timers.after(PERIOD, run);
  };
  const runParts = () => {
    sweepParts()
      .catch((error) => log.error("what was not to be kept could not be removed", { error: String(error) }))
      .finally(() => {
        if (!isStopped) cancelParts = timers.after(PARTS_PERIOD, runParts);
      });
  };
  const sweepAll = async () => {
    const jobs = await sweep();
    if (jobs > 0) log.info("expired jobs removed", { jobs });
    const removed = (await uploads?.sweep()) ?? 0;
    if (removed > 0) log.info("expired uploads removed", { uploads: removed });
    for (const { removeBefore } of others) await removeBefore(oldest());
    while (!isStopped && writes.write(shrink)) await writes.committed();
  };
  const run = () => {
    sweepAll()
      .catch((error) => log.error("what has expired could not be removed", { error: String(error) }))
      .finally(() => {
        if (!isStopped) plan();
      });
  };

  return {
    sweep,
    sweepParts,
    start() {
      isStopped = false;
      run();
      runParts();
    },
    stop() {
      isStopped = true;
      cancel();
      cancelParts();
    },
  };
}

type SweepParts = Pick<ExpiryParts, "ledger" | "forgetFiles" | "uploads" | "needed" | "clock"> & {
  oldest(): Instant;
  /** Between two steps. */
  isStopped(): boolean;
};

function createSweeps(parts: SweepParts): Pick<Expiry, "sweep" | "sweepParts"> {
  const { ledger, forgetFiles, uploads, needed = () => [], clock, oldest, isStopped } = parts;
  const { store, writes, room } = ledger;
  const forget = (jobs: { id: JobId; files: FileToken }[], what: "all" | "files") => {
    if (jobs.length === 0) return;
    const ids = jobs.map(({ id }) => id);
    writes.write(() => {
      room.freed(ids, what);
      if (what === "all") store.remove(ids);
      else store.forgetFiles(ids);
      for (const { files } of jobs) forgetFiles(files);
    });
  };
  const sweep = async (): Promise<number> => {
    const before = oldest();
    let removed = 0;
    while (!isStopped()) {
      const jobs = store.finishedBefore(before, { limit: JOBS_AT_ONCE, except: needed() });
      forget(jobs, "all");
      removed += jobs.length;
      if (jobs.length < JOBS_AT_ONCE) break;
      await writes.committed();
    }
    return removed;
  };
  const sweepParts = async (): Promise<number> => {
    const now = clock.now();
    let forgotten = 0;
    while (!isStopped()) {
      const files = store.filesOver(now, JOBS_AT_ONCE);
      const payloads = store.payloadsOver(now, { limit: JOBS_AT_ONCE, except: needed() });
      forget(files, "files");
      if (payloads.length > 0)
        writes.write(() => {
          room.freed(payloads, "payload");
          store.forgetPayloads(payloads);
        });
      forgotten += files.length + payloads.length;
      if (Math.max(files.length, payloads.length) < JOBS_AT_ONCE) break;
      await writes.committed();
    }
    if (uploads && !isStopped()) forgotten += await uploads.removeExpired();
    return forgotten;
  };
  return { sweep, sweepParts };
}

// The scheduler's side of the job store: from the queue to a runner, what happens there, and the end.
import { steady } from "../../core/clock.ts";
import type { JobId, RunnerId } from "../../core/ids.ts";
import type { Job, LogLine, PartialEvent } from "../../core/job.ts";
import type { Attempt } from "./attempt.ts";
import { type AttemptEnds, createAttemptEnds, type LookAtFiles } from "./attempt-ends.ts";
import { createEarlierJobs, type EarlierJobs, type ReadAnew } from "./earlier.ts";
import { jobOf } from "./job-row.ts";
import type { JobLedger, JobNote } from "./ledger.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import type { ModelAt } from "./remodel.ts";
import { countShares } from "./runner-share.ts";
import type { WaitingJobs } from "./waiting.ts";

export type JobWork = Recovery &
  AttemptEnds &
  Pick<EarlierJobs, "mayRun"> & {
    waiting: Pick<WaitingJobs, "size" | "models" | "heads" | "overdue" | "nextDeadline" | "get" | "count">;
    subscribe(listener: (note: JobNote) => void): () => void;
    isRunning(id: JobId): boolean;
    /** queued -> running. Undefined when it waits no longer, or may not start. `loadMs`: how long it waited for its model to load. */
    claim(id: JobId, by: { runner: RunnerId; loadMs: number }): Job | undefined;
    progress(id: JobId, progress: { at: number; of: number }): void;
    partial(id: JobId, part: Omit<PartialEvent, "type">): void;
    log(id: JobId, message: string): void;
    /** Commits what is still open. */
    flush(): void;
  };

/** A caller reads its log; a runner that talks without end must not fill the disk. */
const LOG_LINES = 200;
const LOG_CHARACTERS = 2_000;
/** A run may begin, and speak, before its caller has heard that it was accepted; a long answer has a few thousand parts. */
const PARTIALS_KEPT = 4_096;

export type WorkParts = {
  ledger: JobLedger;
  lookAtFiles: LookAtFiles;
  modelAt: ModelAt;
  readAnew: ReadAnew;
  /** What makes a job's outputs, and parts of them, such as its endpoint gives: as that is when the attempt begins. */
  toCallerOf?: (job: Job) => (output: unknown) => unknown;
};

export function createJobWork({ ledger, lookAtFiles, modelAt, readAnew, toCallerOf = asItIs }: WorkParts): JobWork {
  const { store, writes, waiting, attempts, watchers, clock } = ledger;

  const addLog = (id: JobId, attempt: Attempt, message: string) => {
    const at = attempt.lines++;
    if (at > LOG_LINES) return;
    const text = at === LOG_LINES ? "Further lines are left out." : shorten(message);
    const line: LogLine = { at: clock.now(), level: "INFO", message: text };
    writes.write(() => store.addLog(id, at, line));
    watchers.emit(id, { type: "log", line });
  };

  const ends = createAttemptEnds({ ledger, lookAtFiles, addLog });
  const earlier = createEarlierJobs({ ledger, readAnew, refuse: ends.refuse });

  return {
    ...createRecovery({ ledger, modelAt, earlier }),
    ...ends,
    mayRun: earlier.mayRun,
    waiting,
    subscribe: ledger.subscribe,
    flush() {
      writes.write(store.keepAll);
      writes.flush();
    },
    isRunning: (id) => attempts.has(id),
    claim(id, { runner, loadMs }) {
      const candidate = waiting.get(id);
      if (candidate && !ledger.mayStart(candidate)) {
        // Placed together with another one of its key: who waits behind it has its turn.
        ledger.notify({ type: "waiting" });
        return undefined;
      }
      const waited = waiting.remove(id);
      const startedAt = clock.now();
      const claim = () => store.claim(id, { runner, at: startedAt });
      const row = store.isInMemory(id) ? claim() : ledger.writeFor(id, claim);
      if (!row) return undefined;
      const waitedMs = waited ? ledger.even.now() - waited.since : startedAt - row.createdAt;
      const queueMs = Math.max(0, waitedMs - loadMs);
      const lines = row.attempts > 1 ? store.logs(id).length : 0;
      const job = jobOf(row);
      const begunAt = steady(clock);
      countShares(attempts.values(), runner, begunAt);
      const share = { shareMs: 0, countedTo: begunAt, toCaller: toCallerOf(job) };
      attempts.set(id, { runner, job, begunAt, queueMs, loadMs, lines, partials: [], ...share });
      watchers.emit(id, { type: "started", runner });
      ledger.positionsChanged();
      return job;
    },
    progress(id, progress) {
      const attempt = attempts.get(id);
      if (!attempt) return;
      attempt.progress = progress;
      watchers.emit(id, { type: "progress", ...progress });
    },
    partial(id, { value, ...rest }) {
      const attempt = attempts.get(id);
      if (!attempt) return;
      const part: PartialEvent = { type: "partial", value: attempt.toCaller(value), ...rest };
      if (part.isWhole) attempt.partials.length = 0;
      attempt.partials.push(part);
      if (attempt.partials.length > PARTIALS_KEPT) attempt.partials.shift();
      watchers.emit(id, part);
    },
    log(id, message) {
      const attempt = attempts.get(id);
      if (attempt) addLog(id, attempt, message);
    },
  };
}

const asItIs = () => (output: unknown) => output;

const shorten = (message: string) =>
  message.length <= LOG_CHARACTERS ? message : `${message.slice(0, LOG_CHARACTERS)}... (${message.length} characters)`;

// The scheduler's side of the job store: every transition from queued over running to an end.
import { type Failure, ForecourtError } from "../../core/errors.ts";
import { asId, type FileToken, type JobId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Job, LogLine } from "../../core/job.ts";
import type { Units } from "../../core/pipeline.ts";
import { jobOf } from "./job-row.ts";
import type { Ending, Leaving } from "./job-store.ts";
import { type Attempt, type JobLedger, type JobNote, waitingOf } from "./ledger.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import { afterRunnerDeath, type Setbacks } from "./retry.ts";
import type { WaitingJobs } from "./waiting.ts";

export type JobWork = Recovery & {
  waiting: Pick<WaitingJobs, "models" | "heads" | "overdue" | "nextDeadline" | "get">;
  subscribe(listener: (note: JobNote) => void): () => void;
  isRunning(id: JobId): boolean;
  /** queued -> running. Undefined when it waits no longer. `loadMs`: how long it waited for its model to load. */
  claim(id: JobId, by: { runner: RunnerId; loadMs: number }): Job | undefined;
  /** running -> done; -> failed when the output names a file that is not there. False when the job had ended already. */
  finish(id: JobId, result: { output: unknown; units: Units; device: string }): boolean;
  /** running -> failed, or -> cancelled when that was asked for. */
  fail(id: JobId, failure: Failure): boolean;
  /** queued -> failed. */
  refuse(id: JobId, failure: Failure): boolean;
  /** running -> queued, or failed when it had its chances. Without a failure nobody is to blame and nothing is counted. */
  interrupt(id: JobId, failure?: Failure): void;
  progress(id: JobId, progress: { at: number; of: number }): void;
  partial(id: JobId, value: unknown): void;
  log(id: JobId, message: string): void;
  /** Commits what is still open. */
  flush(): void;
};

/** A caller reads its log; a runner that talks without end must not fill the disk. */
const LOG_LINES = 200;
const LOG_CHARACTERS = 2_000;

export type WorkParts = {
  ledger: JobLedger;
  /** Names in `output` of files that the job's folder does not hold. */
  missingFiles: (output: unknown, files: FileToken) => string[];
  hasModel: (model: ModelId) => boolean;
};

export function createJobWork({ ledger, missingFiles, hasModel }: WorkParts): JobWork {
  const { store, writes, waiting, attempts, watchers, clock } = ledger;

  const end = (id: JobId, leaving: Leaving, ending: Ending): boolean => {
    const hasEnded = writes.write(() => store.end(id, leaving, { ...ending, at: clock.now() }));
    if (hasEnded) ledger.ended(id);
    else attempts.delete(id);
    return hasEnded;
  };
  const whileRunning = <T>(id: JobId, act: (attempt: Attempt) => T): T | undefined => {
    const attempt = attempts.get(id);
    return attempt && act(attempt);
  };
  const failRunning = (id: JobId, { runner }: Attempt, failure: Failure, setbacks?: Setbacks): boolean => {
    const isCancelled = store.row(id)?.cancelRequested ?? false;
    const leaving = { from: "running" as const, runner, ...(setbacks && { setbacks }) };
    return end(id, leaving, isCancelled ? { status: "cancelled" } : { status: "failed", failure });
  };
  const backToQueue = (id: JobId, { runner }: Attempt, setbacks?: Setbacks) => {
    attempts.delete(id);
    const row = writes.write(() => store.requeue(id, { runner, ...(setbacks && { setbacks }) }));
    if (row) ledger.queued(waitingOf(row, clock.now()));
  };
  const addLog = (id: JobId, message: string) =>
    whileRunning(id, (attempt) => {
      const at = attempt.lines++;
      if (at > LOG_LINES) return;
      const text = at === LOG_LINES ? "Further lines are left out." : shorten(message);
      const line: LogLine = { at: clock.now(), level: "INFO", message: text };
      writes.write(() => store.addLog(id, at, line));
      watchers.emit(id, { type: "log", line });
    });

  return {
    ...createRecovery({ ledger, hasModel }),
    waiting,
    subscribe: ledger.subscribe,
    flush: writes.flush,
    isRunning: (id) => attempts.has(id),
    log: addLog,
    claim(id, { runner, loadMs }) {
      const waited = waiting.remove(id);
      const startedAt = clock.now();
      const row = writes.write(() => store.claim(id, { runner, at: startedAt }));
      if (!row) return undefined;
      const queueMs = Math.max(0, startedAt - (waited?.since ?? row.createdAt) - loadMs);
      const lines = row.attempts > 1 ? store.logs(id).length : 0;
      attempts.set(id, { runner, startedAt, files: asId(row.files), queueMs, loadMs, lines });
      watchers.emit(id, { type: "started", runner });
      ledger.positionsChanged();
      return jobOf(row);
    },
    finish: (id, { output, units, device }) =>
      whileRunning(id, (attempt) => {
        const { runner, files, queueMs, loadMs, startedAt } = attempt;
        const missing = missingFiles(output, files);
        if (missing.length > 0) return failRunning(id, attempt, unsaved(missing));
        const timing = { queueMs, loadMs, runMs: clock.now() - startedAt };
        return end(id, { from: "running", runner }, { status: "done", output, units, timing, device });
      }) ?? false,
    fail: (id, failure) => whileRunning(id, (attempt) => failRunning(id, attempt, failure)) ?? false,
    refuse: (id, failure) => end(id, { from: "queued" }, { status: "failed", failure }),
    interrupt(id, failure) {
      whileRunning(id, (attempt) => {
        const row = store.row(id);
        if (row?.cancelRequested) return failRunning(id, attempt, CANCELLED);
        if (!failure || !row) return backToQueue(id, attempt);
        const { kills, crashes, interruptions, retries } = row;
        const verdict = afterRunnerDeath(failure, { setbacks: { kills, crashes, interruptions }, retries });
        if (verdict.type === "give-up") return failRunning(id, attempt, verdict.failure, verdict.setbacks);
        addLog(id, `Attempt ${row.attempts} was cut short: ${failure.message} Trying again.`);
        return backToQueue(id, attempt, verdict.setbacks);
      });
    },
    progress: (id, progress) => {
      whileRunning(id, (attempt) => {
        attempt.progress = progress;
        watchers.emit(id, { type: "progress", ...progress });
      });
    },
    partial: (id, value) => watchers.emit(id, { type: "partial", value }),
  };
}

const CANCELLED = new ForecourtError("client_cancelled", "The request was cancelled.").toFailure();

const unsaved = (names: string[]) =>
  new ForecourtError(
    "runner_failed",
    `The model's output names files that it did not write: ${names.join(", ")}.`,
  ).toFailure();
const shorten = (message: string) =>
  message.length <= LOG_CHARACTERS ? message : `${message.slice(0, LOG_CHARACTERS)}... (${message.length} characters)`;

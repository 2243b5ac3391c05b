// The ways in which an attempt ends: done, failed, cancelled, or back to the queue.
import { steady } from "../../core/clock.ts";
import { type Failure, ForecourtError } from "../../core/errors.ts";
import type { FileToken, JobId } from "../../core/ids.ts";
import type { Units } from "../../core/pipeline.ts";
import type { Attempt } from "./attempt.ts";
import { type JobRow, jobOf, setbacksOf } from "./job-row.ts";
import type { Ending, Leaving } from "./job-store.ts";
import { type JobLedger, waitingOf } from "./ledger.ts";
import { afterSetback, type Setbacks } from "./retry.ts";
import { countShares } from "./runner-share.ts";

export type AttemptEnds = {
  /** running -> done; -> failed when the output names a file that is not there. False when the job had ended already. */
  finish(id: JobId, result: { output: unknown; units: Units; device: string }): boolean;
  /** running -> failed, or -> queued where the caller wished for that, or -> cancelled when that was asked for. */
  fail(id: JobId, failure: Failure): boolean;
  /** queued -> failed. */
  refuse(id: JobId, failure: Failure): boolean;
  /** running -> queued, or failed when it had its chances. Without a failure nobody is to blame and nothing is counted. */
  interrupt(id: JobId, failure?: Failure): void;
};

export type LookAtFiles = (output: unknown, files: FileToken) => { missing: string[]; bytes: number };

export type AttemptEndParts = {
  ledger: JobLedger;
  /** Of the files that `output` names: those that the job's folder does not hold, and how many bytes the others have. */
  lookAtFiles: LookAtFiles;
  addLog: (id: JobId, attempt: Attempt, message: string) => void;
};

/**
 * An attempt is forgotten before its end is written: when the database refuses, the job is running there and known to
 * nobody here, which is what `reload` looks for.
 */
export function createAttemptEnds({ ledger, lookAtFiles, addLog }: AttemptEndParts): AttemptEnds {
  const { store, writes, attempts, abandoned, clock } = ledger;

  const take = (id: JobId): Attempt | undefined => {
    const attempt = attempts.get(id);
    if (attempt) countShares(attempts.values(), attempt.runner, steady(clock));
    attempts.delete(id);
    return attempt;
  };
  const end = (id: JobId, leaving: Leaving, ending: Ending): boolean => {
    const hasEnded = ledger.writeFor(id, () => store.end(id, leaving, { ...ending, at: clock.now() }));
    if (hasEnded) ledger.ended(id);
    return hasEnded;
  };
  const fail = (id: JobId, { runner }: Attempt, failure: Failure, setbacks?: Setbacks): boolean => {
    const row = store.row(id);
    const isCancelled = row !== undefined && abandoned.has(row);
    const leaving = { from: "running" as const, runner, ...(setbacks && { setbacks }) };
    return end(id, leaving, isCancelled ? { status: "cancelled" } : { status: "failed", failure });
  };
  const requeue = (id: JobId, { runner }: Attempt, setbacks?: Setbacks) => {
    const row = writes.write(() => store.requeue(id, { runner, ...(setbacks && { setbacks }) }));
    if (row) ledger.queued(waitingOf(row, clock.now()));
  };
  const tryAgain = (id: JobId, attempt: Attempt, row: JobRow, failure: Failure): boolean => {
    const wished = jobOf(row).wishes.retries;
    const granted = { setbacks: setbacksOf(row), retries: row.retries, ...(wished && { wished }) };
    const verdict = afterSetback(failure, granted);
    if (verdict.type === "give-up") return fail(id, attempt, verdict.failure, verdict.setbacks);
    addLog(id, attempt, `Attempt ${row.attempts} was cut short: ${failure.message} Trying again.`);
    requeue(id, attempt, verdict.setbacks);
    return true;
  };

  return {
    finish(id, { output, units, device }) {
      const attempt = take(id);
      if (!attempt) return false;
      const { runner, job, queueMs, loadMs, begunAt, shareMs } = attempt;
      const { missing, bytes: fileBytes } = lookAtFiles(output, job.files);
      if (missing.length > 0) return fail(id, attempt, unsaved(missing));
      const at = clock.now();
      const done = {
        status: "done" as const,
        output: attempt.toCaller(output),
        units,
        timing: { queueMs, loadMs, runMs: microseconds(steady(clock) - begunAt) },
        device,
      };
      const hasEnded = ledger.writeFor(id, () =>
        store.end(id, { from: "running", runner }, { ...done, shareMs, fileBytes, at }),
      );
      const { runner: servedFrom, ...begun } = { runner, ...job };
      if (hasEnded) ledger.ended(id, { ...begun, ...done, servedFrom, finishedAt: at });
      writes.early();
      return hasEnded;
    },
    fail(id, failure) {
      const attempt = take(id);
      const row = attempt && store.row(id);
      if (!row) return false;
      return abandoned.has(row) ? fail(id, attempt, failure) : tryAgain(id, attempt, row, failure);
    },
    refuse: (id, failure) => end(id, { from: "queued" }, { status: "failed", failure }),
    interrupt(id, failure) {
      const attempt = take(id);
      const row = attempt && store.row(id);
      if (!row) return;
      if (abandoned.has(row)) fail(id, attempt, CANCELLED);
      else if (failure) tryAgain(id, attempt, row, failure);
      else requeue(id, attempt);
    },
  };
}

/** In milliseconds: many models take less than one, which would be told as none. */
const microseconds = (ms: number) => Math.round(ms * 1000) / 1000;

const CANCELLED = new ForecourtError("client_cancelled", "The request was cancelled.").toFailure();

const unsaved = (names: string[]) =>
  new ForecourtError(
    "runner_failed",
    `The model's output names files that it did not write: ${names.join(", ")}.`,
  ).toFailure();

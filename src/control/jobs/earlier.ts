// Requests that were accepted for a model as it was then. Since then its file may have been edited, or a release may have come whose pipeline
// takes further fields: what was right then would fail in the runner, or be run without what is wanted now.
import { type Failure, toFailure } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { jobOf } from "./job-row.ts";
import type { JobLedger } from "./ledger.ts";

/** An input as its endpoint takes it today, with the defaults of today. Throws `invalid_input`. */
export type ReadAnew = (job: Pick<Job, "model" | "endpoint" | "input" | "wishes">) => Record<string, unknown>;

export type EarlierJobs = {
  /** Those that waited when this server began, or wait or run when their model changes. Noted ones that are not `isOpen` are forgotten. */
  note(ids: Iterable<JobId>, isOpen: (id: JobId) => boolean): void;
  /** Before one is placed, and once for each: its input is read anew. False: it does not fit any more, and has ended. */
  mayRun(id: JobId): boolean;
};

type Parts = { ledger: JobLedger; readAnew: ReadAnew; refuse: (id: JobId, failure: Failure) => boolean };

export function createEarlierJobs({ ledger: { store, writes }, readAnew, refuse }: Parts): EarlierJobs {
  const unread = new Set<JobId>();
  return {
    note(ids, isOpen) {
      for (const id of unread) if (!isOpen(id)) unread.delete(id);
      for (const id of ids) unread.add(id);
    },
    mayRun(id) {
      if (!unread.delete(id)) return true;
      const row = store.row(id);
      if (!row) return true;
      try {
        const input = JSON.stringify(readAnew(jobOf(row)));
        if (input !== row.input) writes.write(() => store.setInput(id, input));
        return true;
      } catch (error) {
        refuse(id, outgrown(row.endpoint, toFailure(error)));
        return false;
      }
    },
  };
}

const outgrown = (endpoint: string, failure: Failure): Failure => ({
  ...failure,
  message: `The model ${endpoint} was changed while this request waited, and does not take its input any more: ${failure.message}`,
});

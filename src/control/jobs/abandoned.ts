// Jobs whose callers have gone, or were told that they wait in vain: they end as cancelled, as soon as the disk takes that.
import { ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import { isFinished, type Job } from "../../core/job.ts";
import { isDiskFull } from "../disk-full.ts";
import type { Ends } from "./ends.ts";
import { isComposite } from "./is-composite.ts";
import { type JobRow, jobOf } from "./job-row.ts";
import type { JobStore } from "./job-store.ts";

export type Abandoned = {
  add(id: JobId): void;
  /** Its end is on disk, or it needs none. */
  forget(id: JobId): void;
  /** Is it to end as cancelled, as the table says or for want of a caller? */
  has(row: Pick<JobRow, "id" | "cancelRequested">): boolean;
  /**
   * The start or the end of a job was refused by the disk. Whoever waits for the end hears `unavailable` at once, since there may
   * be no room for long, and the job is abandoned; one that nobody waits for goes on when there is room.
   */
  unwritten(id: JobId, error: unknown): void;
};

export function createAbandoned({ store, ends }: { store: Pick<JobStore, "row">; ends: Ends }): Abandoned {
  const abandoned = new Set<JobId>();
  return {
    add: (id) => void abandoned.add(id),
    forget: (id) => void abandoned.delete(id),
    has: ({ id, cancelRequested }) => cancelRequested || abandoned.has(id as JobId), // made by new-job.ts
    unwritten(id, error) {
      const row = store.row(id);
      if (!row) return;
      const job = jobOf(row);
      const told = ends.giveUp(refused(job, error), id);
      if (told.length > 0 && !isFinished(job)) abandoned.add(id);
    },
  };
}

/** A job that has ended nevertheless is in the database, and may or may not survive a power cut. */
function refused(job: Job, error: unknown): ForecourtError {
  const what = job.status === "queued" ? "The start of the request" : "The result";
  const why = isDiskFull(error) ? "the disk of this box is full" : "its database refused it";
  const cost = isComposite(job.model) ? "" : " and costs nothing";
  const fate = isFinished(job) ? "" : ` The request is cancelled${cost}.`;
  const message = `${what} could not be written, because ${why}.${fate} Send it again when there is room.`;
  return new ForecourtError("unavailable", message, { cause: error });
}

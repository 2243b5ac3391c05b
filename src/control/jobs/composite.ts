// Jobs whose work is other jobs: they wait in no queue and need no runner; who began them carries them out.
import { steady } from "../../core/clock.ts";
import { type Failure, ForecourtError } from "../../core/errors.ts";
import { asId, type JobId, type RunnerId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { isFinished } from "../../core/job.ts";
import { instant } from "../../core/units.ts";
import { isComposite } from "./is-composite.ts";
import { jobOf, seenJob } from "./job-row.ts";
import { FORGOTTEN } from "./keeping-store.ts";
import type { JobLedger } from "./ledger.ts";
import { newJob, rowOf, type Wanted } from "./new-job.ts";

const CONDUCTOR = asId<RunnerId>("conductor");

export type CompositeSubmission = Omit<Wanted, "id"> & {
  input: Record<string, unknown>;
  /** Failed from the start. */
  failure?: Failure;
};

export type CompositeJobs = {
  /**
   * Begins to run at once. `also` writes into the transaction that stores the job. Resolves when it is on disk; from then
   * on its steps and its end are written through JobWork.
   */
  begin(submission: CompositeSubmission, also: (id: JobId) => void): Promise<Job>;
  /** Those that run on disk and in nobody's hands: after a restart, or after writes that were lost. They are taken up with it. */
  takeUp(): { job: Job; isCancelled: boolean }[];
  /** All that are not over, in somebody's hands or not. */
  open(): JobId[];
  /** A job that is part of one which is not over: what it gave is there until that is, though its caller may no longer see it. */
  part(id: JobId): Job | undefined;
};

export function createCompositeJobs(ledger: JobLedger): CompositeJobs {
  const { store, writes, outbox, attempts, abandoned, clock } = ledger;
  const take = (job: Job, lines: number) => {
    const begunAt = steady(clock);
    const begun = { runner: CONDUCTOR, begunAt, queueMs: 0, loadMs: 0, shareMs: 0, countedTo: begunAt };
    attempts.set(job.id, { ...begun, job, lines, partials: [], toCaller: (output) => output });
  };

  const open = () =>
    store.withStatus("running").flatMap(({ id, model }) => (isComposite(model) ? [asId<JobId>(id)] : []));

  return {
    async begin({ input, failure, ...submission }, also) {
      const checked = { input, ...(failure && { failure }) };
      const job = newJob({ ...submission, retry: false }, { checked, now: clock.now(), retries: 0 });
      const isOver = isFinished(job);
      const started = { status: "running" as const, runner: CONDUCTOR, startedAt: job.createdAt, attempts: 1 };
      writes.write(() => {
        store.insert({ ...rowOf(job, submission), ...(!isOver && started) });
        if (submission.webhook) outbox.announce(job, submission.webhook);
        if (submission.webhook && isOver) outbox.ended(job.id, job.createdAt);
        also(job.id);
      });
      if (!isOver) take(job, 0);
      await committedOr(() => attempts.delete(job.id), writes.committed());
      const row = store.row(job.id);
      if (!row) throw new ForecourtError("unavailable", "The request could not be stored.");
      return jobOf(row);
    },
    open,
    part: (id) => {
      const row = store.row(id);
      return row && seenJob(row, instant(FORGOTTEN));
    },
    takeUp() {
      const orphans = open().filter((id) => !attempts.has(id));
      return orphans.flatMap((id) => {
        const row = store.row(id);
        if (!row) return [];
        const job = jobOf(row);
        take(job, store.logs(job.id).length);
        return [{ job, isCancelled: abandoned.has(row) }];
      });
    },
  };
}

/** What was lost on its way to the disk never was. */
async function committedOr(undo: () => void, committed: Promise<void>): Promise<void> {
  try {
    await committed;
  } catch (error) {
    undo();
    throw error;
  }
}

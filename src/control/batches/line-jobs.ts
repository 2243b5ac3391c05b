// The jobs of one line of a batch: each is noted before it begins, so that a line that is carried out again after the end of
// this process, by kill -9 too, finds those that it had, and none is run or paid twice.

import type { Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId, newJobId } from "../../core/ids.ts";
import { isFinished } from "../../core/job.ts";
import { wait } from "../../core/wait.ts";
import type { Database } from "../database/open.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { BatchStore } from "./batch-store.ts";

type LineOf = { batch: string; line: number };
export type LineJobsParts = {
  jobs: Jobs;
  store: Pick<BatchStore, "jobOf" | "noteJob">;
  database: Pick<Database, "write">;
  timers: Timers;
  /** The box stops: the line is carried out again after its next start. */
  stop: AbortSignal;
  /** The batch ends: no further job begins. */
  ending: AbortSignal;
  /** Throws when its key is good no more. */
  requireKey(): void;
};

/** What passes by itself: a line waits for it, as a client would that tries again. */
const PASSING: readonly string[] = ["rate_limited", "concurrency_limited", "queue_full", "unavailable"];
/** What other requests set aside comes back in part when they end. */
const isPassing = ({ code, details }: ForecourtError) => PASSING.includes(code) || details?.comesBack === true;
const USUAL_WAIT_SECONDS = 1;

export function lineJobs(parts: LineJobsParts, { batch, line }: LineOf): Jobs {
  const { jobs, store, database, timers, stop, ending, requireKey } = parts;
  let begun = 0;
  const noted = (nth: number): JobId => {
    const known = store.jobOf(batch, line, nth);
    if (known !== undefined) return asId<JobId>(known);
    const job = newJobId();
    database.write(() => store.noteJob({ batch, line, nth, job }));
    return job;
  };
  const endings = AbortSignal.any([stop, ending]);
  return {
    ...jobs,
    async submit(submission) {
      const nth = begun++;
      for (;;) {
        if (endings.aborted) throw left();
        const id = noted(nth);
        const known = jobs.find(id);
        if (known) return known;
        requireKey();
        const seconds = await jobs
          .submit({ ...submission, id, priority: "low", mayWait: true, retry: true, isAnnounced: true })
          .catch((error: unknown) => secondsToWait(error));
        if (typeof seconds !== "number") return seconds;
        // What ends it early ends the line at the top of the loop.
        if (!endings.aborted) await wait(1000 * seconds, { timers, signal: endings }).catch(() => {});
      }
    },
    async untilEnd(id) {
      for await (const event of jobs.watch(id, stop))
        if (event.type === "finished" && isFinished(event.job)) return event.job;
      return undefined;
    },
    // Nobody leaves: those of a line that failed are there when it is carried out again.
    abandon: () => {},
  };
}

function secondsToWait(error: unknown): number {
  if (!(error instanceof ForecourtError && isPassing(error))) throw error;
  const { retryAfterSeconds } = error.details ?? {};
  return typeof retryAfterSeconds === "number" ? retryAfterSeconds : USUAL_WAIT_SECONDS;
}

const left = () => new ForecourtError("client_cancelled", "The batch ended before this request began.");

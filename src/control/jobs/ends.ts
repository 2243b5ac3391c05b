// Those who wait for the end of a job, and what they hear where it will not come.
import type { ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Watchers } from "./watchers.ts";

export type Ends = {
  /** The job once it has ended; undefined when `signal` comes first. Rejects with what `giveUp` says. */
  next(id: JobId, signal: AbortSignal): Promise<Job | undefined>;
  /**
   * For one who follows the job by other means: hears what `giveUp` says, until the returned function is called. With `whole`, a job
   * that this one is part of, only while somebody waits for the end of that.
   */
  await(id: JobId, onGivenUp: (reason: ForecourtError) => void, whole?: JobId): () => void;
  /** Jobs whose end somebody waits for. */
  waitedFor(): Set<JobId>;
  /** All who wait now, or those of one job, hear that the end will not come: of these jobs. */
  giveUp(reason: ForecourtError, job?: JobId): JobId[];
};

type Waiter = { id: JobId; tell: (reason: ForecourtError) => void; whole: JobId | undefined };

export function createEnds(watchers: Pick<Watchers, "listen">): Ends {
  const waiting = new Set<Waiter>();
  const wait: Ends["await"] = (id, tell, whole) => {
    const waiter: Waiter = { id, tell, whole };
    waiting.add(waiter);
    return () => void waiting.delete(waiter);
  };
  const waitedFor = () => {
    const ids = new Set<JobId>();
    for (const { id, whole } of waiting) if (whole === undefined) ids.add(id);
    for (const { id, whole } of waiting) if (whole !== undefined && ids.has(whole)) ids.add(id);
    return ids;
  };
  return {
    await: wait,
    next(id, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Job | undefined>();
      const leave = () => end(undefined);
      const close = watchers.listen(id, (event) => {
        if (event.type === "finished") end(event.job);
      });
      const stop = () => {
        close();
        waitNoMore();
        signal.removeEventListener("abort", leave);
      };
      const end = (job: Job | undefined) => {
        stop();
        resolve(job);
      };
      const waitNoMore = wait(id, (reason) => {
        stop();
        reject(reason);
      });
      signal.addEventListener("abort", leave);
      if (signal.aborted) leave();
      return promise;
    },
    waitedFor,
    giveUp(reason, job) {
      const ids = waitedFor();
      const given = [...waiting].filter(({ id }) => ids.has(id) && (job === undefined || id === job));
      for (const { tell } of given) tell(reason);
      return given.map(({ id }) => id);
    },
  };
}

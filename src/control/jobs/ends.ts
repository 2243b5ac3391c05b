// Those who wait for the end of a job and nothing else, and what they hear where it will not come.
import type { ForecourtError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Watchers } from "./watchers.ts";

export type Ends = {
  /** The job once it has ended; undefined when `signal` comes first. Rejects with what `giveUp` says. */
  next(id: JobId, signal: AbortSignal): Promise<Job | undefined>;
  /** Jobs whose end somebody waits for. */
  waitedFor(): Set<JobId>;
  /** All who wait now, or those of one job, hear that the end will not come: of these jobs. */
  giveUp(reason: ForecourtError, job?: JobId): JobId[];
};

export function createEnds(watchers: Pick<Watchers, "listen">): Ends {
  const waiting = new Map<(reason: ForecourtError) => void, JobId>();
  return {
    next(id, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Job | undefined>();
      const leave = () => end(undefined);
      const close = watchers.listen(id, (event) => {
        if (event.type === "finished") end(event.job);
      });
      const stop = () => {
        close();
        waiting.delete(abandon);
        signal.removeEventListener("abort", leave);
      };
      const end = (job: Job | undefined) => {
        stop();
        resolve(job);
      };
      const abandon = (reason: ForecourtError) => {
        stop();
        reject(reason);
      };
      waiting.set(abandon, id);
      signal.addEventListener("abort", leave);
      if (signal.aborted) leave();
      return promise;
    },
    waitedFor: () => new Set(waiting.values()),
    giveUp(reason, job) {
      const given = [...waiting].filter(([, id]) => job === undefined || id === job);
      for (const [abandon] of given) abandon(reason);
      return given.map(([, id]) => id);
    },
  };
}

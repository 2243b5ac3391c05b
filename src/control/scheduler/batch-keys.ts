// Marks waiting jobs that may run together; each job's input is looked at once.
import type { JobId } from "../../core/ids.ts";
import { pipelineOf } from "../../engine/pipelines/registry.ts";
import { pipelineInput } from "../catalog/asked.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { WaitingJob } from "./situation.ts";

export type BatchKeys = {
  /** The same job, with the mark that its pipeline gives it. */
  mark(job: WaitingJob, entry: CatalogEntry): WaitingJob;
  /** Of a job that waits no longer. */
  forget(job: JobId): void;
  /** Models are others now. */
  clear(): void;
};

/** Jobs that ended while they waited leave their mark behind; it is cheap to make again. */
const MOST_KEPT = 10_000;

type Sources = { jobs: Pick<Jobs, "find">; catalog: Pick<Catalog, "find"> };

export function createBatchKeys({ jobs, catalog }: Sources): BatchKeys {
  const known = new Map<JobId, string | undefined>();
  const keyOf = (id: JobId, { model }: CatalogEntry) => {
    const { batchKey } = pipelineOf(model);
    const job = batchKey && jobs.find(id);
    // A session's runs begin where the one before ended: they are for themselves.
    return job && job.wishes.session === undefined ? batchKey?.(pipelineInput(catalog, job)) : undefined;
  };
  return {
    mark(job, entry) {
      if (entry.model.limits.maxBatch <= 1) return job;
      if (!known.has(job.id)) {
        if (known.size >= MOST_KEPT) known.clear();
        known.set(job.id, keyOf(job.id, entry));
      }
      const batch = known.get(job.id);
      return batch === undefined ? job : { ...job, batch };
    },
    forget: (job) => {
      known.delete(job);
    },
    clear: () => known.clear(),
  };
}

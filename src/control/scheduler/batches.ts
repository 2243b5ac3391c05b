// Which jobs are in which batch, and which of them have not come to an end yet.
import type { BatchId, JobId, ModelId, RunnerId } from "../../core/ids.ts";

export type Batch = {
  id: BatchId;
  runner: RunnerId;
  model: ModelId;
  /** In the order of the `index` of the runner's messages. */
  jobs: readonly JobId[];
  open: Set<JobId>;
};

export type Batches = {
  begin(batch: Omit<Batch, "open">): void;
  /** The job that a message is about, while it is open. */
  openJob(batch: BatchId, index: number): JobId | undefined;
  closed(batch: BatchId, job: JobId): void;
  of(job: JobId): Batch | undefined;
  /** Takes the batch out; its open jobs are the caller's to settle. */
  end(batch: BatchId): Batch | undefined;
  all(): Batch[];
};

export function createBatches(): Batches {
  const batches = new Map<BatchId, Batch>();
  return {
    begin: (batch) => {
      batches.set(batch.id, { ...batch, open: new Set(batch.jobs) });
    },
    openJob(id, index) {
      const batch = batches.get(id);
      const job = batch?.jobs[index];
      return job !== undefined && batch?.open.has(job) ? job : undefined;
    },
    closed: (id, job) => {
      batches.get(id)?.open.delete(job);
    },
    of: (job) => [...batches.values()].find(({ open }) => open.has(job)),
    end(id) {
      const batch = batches.get(id);
      batches.delete(id);
      return batch;
    },
    all: () => [...batches.values()],
  };
}

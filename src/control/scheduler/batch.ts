// Which waiting jobs run together: the next one, and others that its pipeline can compute in the same pass.
import type { Bytes } from "../../core/units.ts";
import type { ModelFact, WaitingJob } from "./situation.ts";

type Limits = Pick<ModelFact, "maxBatch" | "perBatchItem"> & {
  /** Memory of the device that nobody holds. */
  free: Bytes;
};

/** `queue` in order; `head` is of it. The others keep their order behind it. */
export function takeBatch(head: WaitingJob, queue: readonly WaitingJob[], limits: Limits): WaitingJob[] {
  const room = Math.min(limits.maxBatch, 1 + extraJobs(limits));
  if (head.batch === undefined) return [head];
  const jobs = [head];
  for (const job of queue) {
    if (jobs.length >= room) break;
    if (job !== head && job.batch === head.batch && job.priority === head.priority) jobs.push(job);
  }
  return jobs;
}

/** A batch needs memory for its further jobs; the first one's is part of the footprint. Below zero where memory is overdrawn. */
const extraJobs = ({ perBatchItem, free }: Limits) =>
  perBatchItem <= 0 ? Number.POSITIVE_INFINITY : Math.floor(free / perBatchItem);

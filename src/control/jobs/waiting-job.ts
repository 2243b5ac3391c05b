// A job that waits, in memory.
import type { Job } from "../../core/job.ts";
import type { Instant } from "../../core/units.ts";

export type WaitingJob = Pick<Job, "id" | "model" | "key" | "priority" | "createdAt" | "startBy"> & {
  /** When it began to wait: its creation, or its return to the queue. */
  since: Instant;
  /** Prefers the runner that served it before. */
  hint?: string;
  /** Its place in the order that is fair between keys (fair-turns.ts); given when it comes to wait. */
  turn: number;
  /** It was begun before. */
  isBack?: boolean;
};

/** One that is back is not to wait for its key's turn again. */
export type ArrivingJob = Omit<WaitingJob, "turn"> & { turn?: number };

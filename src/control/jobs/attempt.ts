// A running job, in memory.
import type { Job, PartialEvent } from "../../core/job.ts";
import type { Milliseconds } from "../../core/units.ts";
import type { Shared } from "./runner-share.ts";

export type Attempt = Shared & {
  /** As it was when the attempt began. */
  job: Job;
  /** By the steady clock. */
  begunAt: Milliseconds;
  queueMs: number;
  loadMs: number;
  /** Log lines so far, of all attempts. */
  lines: number;
  /** An output as its endpoint gave it when the attempt began. */
  toCaller(output: unknown): unknown;
  progress?: { at: number; of: number };
  /** Kept for who begins to watch while it runs: the latest PARTIALS_KEPT. */
  partials: PartialEvent[];
};

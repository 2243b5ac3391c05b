// A durable unit of work (fal's "request"): one state machine; transitions happen in control/jobs only.
import type { Failure } from "./errors.ts";
import type { FileToken, JobId, KeyId, ModelId, RunnerId } from "./ids.ts";
import type { Units } from "./pipeline.ts";
import type { Instant } from "./units.ts";

/** `low` runs only when no `normal` job waits for the same model. */
export type Priority = "normal" | "low";

/** Kinds of failure after which a caller may wish for further attempts. */
export const RETRY_CONDITIONS = ["server_error", "timeout", "connection_error"] as const;
export type RetryCondition = (typeof RETRY_CONDITIONS)[number];

/** How a caller wants a job handled, beside its input. */
export type Wishes = {
  /** Free text: the runner that served it before is preferred. */
  hint?: string;
  /** Further attempts by kind of failure, in place of what the box grants. */
  retries?: Partial<Record<RetryCondition, number>>;
  /** Somebody follows the run: partial results are worth their making. */
  partials?: true;
  /** Jobs with the same one follow each other: their runner may keep what they share. */
  session?: string;
};

/** What ties a job to a runner that keeps something for it. */
export const hintOf = ({ hint, session }: Wishes): { hint?: string } => {
  const tie = hint ?? session;
  return tie === undefined ? {} : { hint: tie };
};

/** Milliseconds spent in each part of a job's life, over its last attempt. */
export type Timing = { queueMs: number; loadMs: number; runMs: number };

export type JobState =
  | { status: "queued" }
  | { status: "running"; runner: RunnerId; startedAt: Instant }
  | {
      status: "done";
      output: unknown;
      units: Units;
      timing: Timing;
      device: string;
      servedFrom?: RunnerId;
      finishedAt: Instant;
    }
  | { status: "failed"; failure: Failure; finishedAt: Instant }
  | { status: "cancelled"; finishedAt: Instant };

export type Job = {
  id: JobId;
  model: ModelId;
  /** The endpoint id that the caller used: the model's id or one of its aliases. */
  endpoint: string;
  key: KeyId;
  input: Record<string, unknown>;
  priority: Priority;
  /** Attempts begun so far. */
  attempts: number;
  /** Further attempts allowed after a crash of the runner or server. */
  retries: number;
  files: FileToken;
  wishes: Wishes;
  /** The caller's own marks for its costs. */
  tags?: Record<string, string>;
  /** Its input and output are for its caller to fetch, soon, and for no history. */
  keepsPayload?: false;
  /** Its input and output were not to be kept, or were deleted. */
  isForgotten?: true;
  createdAt: Instant;
  /** Of its last attempt. */
  startedAt?: Instant;
  /** Must have started before this, else it fails with `start_timeout`. */
  startBy?: Instant;
} & JobState;

/** How a job ended, without what went in and came out: for those who count. */
export type JobOutcome = Pick<Job, "id" | "model" | "createdAt"> & { finishedAt: Instant } & (
    | { status: "done"; units: Units; timing: Timing; device: string }
    | { status: "failed"; failure: Failure }
    | { status: "cancelled" }
  );

/** Undefined for one that has not ended. */
export function outcomeOf(job: Job): JobOutcome | undefined {
  const { id, model, createdAt } = job;
  switch (job.status) {
    case "done": {
      const { status, units, timing, device, finishedAt } = job;
      return { id, model, createdAt, status, units, timing, device, finishedAt };
    }
    case "failed":
      return { id, model, createdAt, status: "failed", failure: job.failure, finishedAt: job.finishedAt };
    case "cancelled":
      return { id, model, createdAt, status: "cancelled", finishedAt: job.finishedAt };
    default:
      return undefined;
  }
}

export type JobStatus = Job["status"];
export type OpenStatus = Extract<JobStatus, "queued" | "running">;
export const isFinished = (job: Pick<Job, "status">) =>
  job.status === "done" || job.status === "failed" || job.status === "cancelled";

/** A line shown to the caller. */
export type LogLine = { at: Instant; level: "INFO" | "WARN" | "ERROR" | "DEBUG"; message: string };

/** What a watcher of a job sees, in order; a `finished` event is the last. */
export type JobEvent =
  | { type: "queued"; position: number }
  | { type: "started"; runner: RunnerId }
  | { type: "log"; line: LogLine }
  | { type: "progress"; at: number; of: number }
  | PartialEvent
  | { type: "finished"; job: Job };

/** `isWhole`: as in a step. */
export type PartialEvent = { type: "partial"; value: unknown; isWhole?: true };

// The waist of the house: submit, watch, cancel durable jobs. Every face is a translation to these few calls.

import type { JobId, KeyId } from "../../core/ids.ts";
import type { Job, JobEvent, LogLine, Priority } from "../../core/job.ts";
import type { Milliseconds } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";

export type Submission = {
  model: Model;
  /** The id that the caller used: the model's own or an alias. */
  endpoint: string;
  key: KeyId;
  /** Unchecked. */
  input: unknown;
  /** true: wrong input throws `invalid_input` (sync). false: the job is stored as failed with it (queue, as fal does). */
  rejectInvalid: boolean;
  priority?: Priority;
  /** Fails with `start_timeout` unless it has started by then. */
  startTimeout?: Milliseconds;
  /** false: no further attempt after a crash. */
  retry?: boolean;
  /** Throws `queue_full` when this many jobs already wait for the model. */
  maxQueue?: number;
};

export type Jobs = {
  /** Resolves when the job is on disk. Throws `queue_full`, `invalid_input`. */
  submit(submission: Submission): Promise<Job>;
  find(id: JobId): Job | undefined;
  /** Jobs of the same model that will run before this one. */
  position(id: JobId): number;
  logs(id: JobId): LogLine[];
  /** Replays the state and the log lines so far, then follows; the last event is `finished`. Unknown id throws `not_found`. */
  watch(id: JobId, signal: AbortSignal): AsyncGenerator<JobEvent>;
  /** A queued job ends at once; a running one between two steps. */
  cancel(id: JobId): "requested" | "finished" | "unknown";
  /** Jobs waiting or running, for `ps`. */
  open(): Job[];
};

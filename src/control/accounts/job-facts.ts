// What jobs tell the accounts: who asks to begin, how full the queue is, how a job ended.
import type { ErrorCode } from "../../core/errors.ts";
import type { JobId, KeyId } from "../../core/ids.ts";
import type { Job, Timing } from "../../core/job.ts";
import type { Units } from "../../core/pipeline.ts";
import type { Instant } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { Account, Amounts } from "./account.ts";
import type { Price } from "./price.ts";

/** The queue as the limits see it. */
export type QueueLoad = { waiting(account: Account): number; running(account: Account): number };

export type Application = {
  model: Model;
  key: KeyId;
  /** Checked; left out when it was wrong and the job is over as it begins. */
  input?: Record<string, unknown>;
  /** The caller waits for the answer: no place in the queue is taken. */
  isDirect: boolean;
};

export type Beginning = Pick<Job, "id" | "key" | "model" | "createdAt">;

/** What an admitted job sets aside, to be handed to `begin`. */
export type Admission = {
  amounts: Amounts;
  /** What it pays by. */
  price: Price;
};

export type JobEnd = {
  job: JobId;
  key: KeyId;
  model: string;
  endpoint: string;
  /** JSON. */
  tags: string | null;
  /** As it was admitted; absent where nobody wrote it down: what counts now is paid then. */
  price?: Price;
  admittedAt: Instant;
  endedAt: Instant;
} & (
  | { outcome: "done"; units: Units; timing: Timing; shareMs: number; device: string }
  | { outcome: "failed"; failure: ErrorCode }
  | { outcome: "cancelled" }
);

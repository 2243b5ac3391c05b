// What a job is made of.
import type { JobId, KeyId } from "../../core/ids.ts";
import type { Priority, Wishes } from "../../core/job.ts";
import type { TObject } from "../../core/schema.ts";
import type { Milliseconds } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { Lifecycle } from "../storage/acl.ts";
import type { WebhookWish } from "../webhooks/outbox.ts";

export type Submission = {
  /** Of a submitter who has to know it before the job is on disk. */
  id?: JobId;
  model: Model;
  /** The id that the caller used: the model's own or an alias. */
  endpoint: string;
  key: KeyId;
  /** Unchecked. */
  input: unknown;
  /** true: wrong input throws `invalid_input` (sync). false: the job is stored as failed with it (queue, as fal does). */
  rejectInvalid: boolean;
  /** Over a limit of concurrent requests, true: it waits in the queue; false: `concurrency_limited`. Absent: as fal, only where wrong input is not rejected. */
  mayWait?: boolean;
  /** In place of the endpoint's own input schema. */
  schema?: TObject;
  /** false: lives in memory alone and is lost with this process; for callers who would not ask for it later. */
  durable?: boolean;
  /** false: nobody hears of it before its end, which is on disk then, and its beginning with it. */
  isAnnounced?: boolean;
  priority?: Priority;
  /** Fails with `start_timeout` unless it has started by then. */
  startTimeout?: Milliseconds;
  /** false: no further attempt after a crash. */
  retry?: boolean;
  /** Throws `queue_full` when this many jobs already wait for the model. */
  maxQueue?: number;
  wishes?: Wishes;
  tags?: Record<string, string>;
  /** false: input and output are forgotten an hour after the end. */
  keepsPayload?: boolean;
  /** Of the output files. */
  lifecycle?: Lifecycle;
  /** Who hears of the end. */
  webhook?: WebhookWish;
};

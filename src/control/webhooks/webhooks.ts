// Webhooks: who is told of a job's end, what was told, and telling it again. The only door to this folder's parts.
import type { Clock, Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { JobId, KeyId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import type { Milliseconds } from "../../core/units.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { Resolver } from "../storage/pinned-address.ts";
import type { AddressGuard } from "../storage/public-address.ts";
import type { Outbox } from "./outbox.ts";
import {
  jobOfWebhook,
  type OutboxStore,
  type UntoldStatus,
  type WebhookRow,
  type WebhookStatus,
} from "./outbox-store.ts";
import { createPost, type Reply } from "./post.ts";
import { createSender } from "./sender.ts";
import { createSettle, type WebhookCounters } from "./settle.ts";
import { signedHeaders } from "./signature.ts";
import type { PublicKeyJwk, SigningKey } from "./signing-key.ts";
import { webhookTarget } from "./target.ts";

/** The JSON that a receiver gets, in the words of its face. `origin` begins the URLs of files. */
export type WebhookBody = (job: Job, origin: string) => string;

export type WebhookPage = { status?: WebhookStatus; before?: JobId; limit: number };

export type Webhooks = {
  /** A receiver's URL in its normal form. Throws `bad_request` for one that cannot or must not be called. */
  target(url: string): string;
  publicKey: PublicKeyJwk;
  /** One signed attempt of something that is no job's webhook. Never throws. */
  send(letter: { id: JobId; user: KeyId; url: string; body: string }, signal: AbortSignal): Promise<Reply>;
  /** Latest request first; `before` is the last of the page before. */
  list(page: WebhookPage): WebhookRow[];
  /** All attempts again, from now. Throws `not_found`, and `bad_request` while its request is not over. */
  replay(job: JobId): Promise<WebhookRow>;
  counters(): { sinceStart: WebhookCounters; kept: Record<UntoldStatus, number> };
  /** Sends from now on; without a `body` nothing is sent, but what becomes due is kept. */
  start(): void;
  /** Resolves when no attempt is under way. */
  stop(): Promise<void>;
};

export type WebhooksParts = {
  store: OutboxStore;
  outbox: Pick<Outbox, "onDue">;
  writes: GroupCommit;
  findJob: (id: JobId) => Job | undefined;
  key: SigningKey;
  guard: AddressGuard;
  resolver?: Resolver;
  /** Undefined in processes that do not serve. */
  body: WebhookBody | undefined;
  firstWait: Milliseconds;
  retention: Milliseconds;
  clock: Clock;
  sweepClock?: Clock;
  timers: Timers;
  log: Log;
};

export function createWebhooks(parts: WebhooksParts): Webhooks {
  const { store, outbox, writes, key, guard, body, clock } = parts;
  const counters: WebhookCounters = { delivered: 0, failedAttempts: 0, dead: 0 };
  const settle = createSettle({ ...parts, counters });
  const sender = body && createSender({ ...parts, settle, attempt: createAttempt({ ...parts, body }) });
  const post = createPost({ guard, ...(parts.resolver && { resolver: parts.resolver }) });
  let forget = () => {};

  return {
    target: (url) => webhookTarget(url, guard),
    publicKey: key.publicKey,
    send: ({ id, user, url, body: text }, signal) =>
      post({ url, headers: signedHeaders({ job: id, user, body: text }, clock.now(), key), body: text }, signal),
    list: store.list,
    async replay(job) {
      const row = writes.write(() => store.replay(job, clock.now()));
      if (!row) throw notReplayable(job, store.row(job));
      await writes.committed();
      sender?.wake();
      return row;
    },
    counters: () => ({ sinceStart: { ...counters }, kept: store.counts() }),
    start() {
      if (!sender) return;
      forget = outbox.onDue(sender.wake);
      sender.wake();
    },
    async stop() {
      forget();
      await sender?.stop();
    },
  };
}

type AttemptParts = Pick<WebhooksParts, "findJob" | "key" | "guard" | "resolver" | "clock" | "log"> & {
  body: WebhookBody;
};

function createAttempt({ findJob, key, body, guard, resolver, clock, log }: AttemptParts) {
  const post = createPost({ guard, ...(resolver && { resolver }) });
  return async (webhook: WebhookRow, signal: AbortSignal): Promise<Reply> => {
    const id = jobOfWebhook(webhook);
    const job = findJob(id);
    if (!job) return { type: "refused", reason: "the request was removed meanwhile" };
    try {
      const text = body(job, webhook.origin);
      const headers = signedHeaders({ job: id, user: job.key, body: text }, clock.now(), key);
      return await post({ url: webhook.url, headers, body: text }, signal);
    } catch (error) {
      log.error("a webhook could not be made", { requestId: id, error: String(error) });
      return { type: "failed", reason: "internal error; the server's log says more" };
    }
  };
}

function notReplayable(job: JobId, row: WebhookRow | undefined): ForecourtError {
  if (row) return new ForecourtError("bad_request", `The request ${job} is not over; its webhook waits for that.`);
  return new ForecourtError("not_found", `There is no webhook of a request ${job}.`);
}

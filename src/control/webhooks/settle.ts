// What follows from an attempt: done, another one later, or given up. Written in one transaction and counted.
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { instant, type Milliseconds } from "../../core/units.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import { jobOfWebhook, type OutboxStore, type Settlement, type WebhookRow } from "./outbox-store.ts";
import type { Reply } from "./post.ts";
import { nextAttempt } from "./retry-schedule.ts";

/** Since the start of the process, for metrics. */
export type WebhookCounters = { delivered: number; failedAttempts: number; dead: number };

export type SettleParts = {
  store: Pick<OutboxStore, "settle">;
  writes: Pick<GroupCommit, "write">;
  counters: WebhookCounters;
  /** Wait before the second attempt. */
  firstWait: Milliseconds;
  /** How long a job and its result are kept. */
  retention: Milliseconds;
  clock: Clock;
  /** By which a job and its result are removed. */
  sweepClock?: Clock;
  log: Log;
};

const LONGEST_REASON = 500;

export function createSettle({
  store,
  writes,
  counters,
  firstWait,
  retention,
  clock,
  sweepClock = clock,
  log,
}: SettleParts) {
  const afterFailure = (
    { endedAt, ...webhook }: WebhookRow,
    reply: Exclude<Reply, { type: "accepted" }>,
  ): Settlement => {
    const now = clock.now();
    const attempts = webhook.attempts + 1;
    const reason = reply.reason.slice(0, LONGEST_REASON);
    const outcome = { attempts, reason, httpStatus: reply.httpStatus ?? null };
    const lived = endedAt === null ? 0 : sweepClock.now() - endedAt;
    const endOfLife = instant(now + retention - lived);
    const dueAt = reply.type === "refused" ? undefined : nextAttempt({ attempts, now, firstWait, endOfLife });
    return dueAt === undefined
      ? { ...outcome, status: "dead", settledAt: now }
      : { ...outcome, status: "pending", dueAt };
  };
  const settlementOf = (webhook: WebhookRow, reply: Reply): Settlement => {
    if (reply.type !== "accepted") return afterFailure(webhook, reply);
    const { httpStatus } = reply;
    return { status: "delivered", attempts: webhook.attempts + 1, reason: null, httpStatus, settledAt: clock.now() };
  };
  return (webhook: WebhookRow, reply: Reply): void => {
    const settlement = settlementOf(webhook, reply);
    const job = jobOfWebhook(webhook);
    writes.write(() => store.settle(job, settlement));
    const { status, attempts, reason } = settlement;
    if (status === "delivered") counters.delivered++;
    else counters.failedAttempts++;
    if (status !== "dead") return;
    counters.dead++;
    log.warn("webhook given up", { requestId: job, host: webhook.host, attempts, reason });
  };
}

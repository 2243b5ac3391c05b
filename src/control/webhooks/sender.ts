// Sends what is due, apart from all requests: some at a time, few for each host, each outcome written down before the next.
import type { Clock, Timers } from "../../core/clock.ts";
import type { JobId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import { jobOfWebhook, type OutboxStore, type WebhookRow } from "./outbox-store.ts";
import type { Reply } from "./post.ts";
import { attemptTimeout } from "./retry-schedule.ts";
import { createSettle, type SettleParts } from "./settle.ts";

export type Sender = {
  start(): void;
  /** Something may have become due. */
  wake(): void;
  /** Resolves when no attempt is under way; what was, is sent again after the next start. */
  stop(): Promise<void>;
};

export type SenderParts = SettleParts & {
  store: OutboxStore;
  writes: GroupCommit;
  /** One signed attempt. */
  attempt: (webhook: WebhookRow, signal: AbortSignal) => Promise<Reply>;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** Each holds a body in memory, 4 MiB at most. */
const MOST_AT_ONCE = 32;
/** Receivers that hang must not take all places. */
const MOST_PER_HOST = 8;
/** The queue is looked at this often even if nothing is said to be due: clocks are set, disks recover. */
const LONGEST_SLEEP = milliseconds(60_000);
/** After an outcome could not be written down: sending on would repeat it without end. */
const REST = milliseconds(30_000);

export function createSender(parts: SenderParts): Sender {
  const { store, writes, clock, timers, log } = parts;
  const underWay = new Map<JobId, { host: string; done: Promise<void> }>();
  const stopping = new AbortController();
  const settle = createSettle(parts);
  let isLookPlanned = false;
  let cancelSleep = () => {};

  const fullHosts = () => {
    const counts = new Map<string, number>();
    for (const { host } of underWay.values()) counts.set(host, (counts.get(host) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= MOST_PER_HOST).map(([host]) => host);
  };
  const wake = () => {
    if (isLookPlanned || stopping.signal.aborted) return;
    isLookPlanned = true;
    setImmediate(look);
  };
  const sleep = () => {
    cancelSleep();
    const now = clock.now();
    const dueAt = store.nextDueAt(now);
    const wait = dueAt === undefined ? LONGEST_SLEEP : Math.min(dueAt - now, LONGEST_SLEEP);
    cancelSleep = timers.after(milliseconds(wait), wake);
  };
  const begin = (webhook: WebhookRow) => {
    const job = jobOfWebhook(webhook);
    const done = deliver(webhook).then((restFor) => {
      const release = () => {
        underWay.delete(job);
        wake();
      };
      if (restFor === undefined || stopping.signal.aborted) release();
      else timers.after(restFor, release);
    });
    underWay.set(job, { host: webhook.host, done });
  };
  const beginDue = () => {
    while (underWay.size < MOST_AT_ONCE) {
      const found = store.next({ now: clock.now(), underWay: [...underWay.keys()], fullHosts: fullHosts() });
      if (!found) return;
      begin(found);
    }
  };
  function look() {
    isLookPlanned = false;
    if (stopping.signal.aborted) return;
    try {
      beginDue();
      sleep();
    } catch (error) {
      log.error("due webhooks could not be looked up", { error: String(error) });
      cancelSleep = timers.after(LONGEST_SLEEP, wake);
    }
  }

  /** How long to leave this one alone, where its outcome could not be kept. */
  async function deliver(webhook: WebhookRow): Promise<Milliseconds | undefined> {
    try {
      // An end that is not yet on disk is not told.
      await writes.committed();
      const reply = await timed(webhook);
      if (stopping.signal.aborted && reply.type !== "accepted") return undefined;
      settle(webhook, reply);
      await writes.committed();
      return undefined;
    } catch (error) {
      log.error("the outcome of a webhook could not be written down", { requestId: webhook.job, error: String(error) });
      return REST;
    }
  }
  async function timed(webhook: WebhookRow): Promise<Reply> {
    const timeout = attemptTimeout(webhook.attempts);
    const tooLong = new AbortController();
    const cancel = timers.after(timeout, () => tooLong.abort(new Error(`no answer within ${timeout / 1000} seconds`)));
    try {
      return await parts.attempt(webhook, AbortSignal.any([tooLong.signal, stopping.signal]));
    } finally {
      cancel();
    }
  }

  return {
    wake,
    start: wake,
    async stop() {
      stopping.abort(new Error("the server stops"));
      cancelSleep();
      await Promise.all([...underWay.values()].map(({ done }) => done));
    },
  };
}

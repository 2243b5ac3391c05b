// Sends what is due, apart from all requests: some at a time, and few of them to one host.
import type { Clock, Timers } from "../../core/clock.ts";
import type { JobId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { instant, milliseconds } from "../../core/units.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import { createDelivery, type DeliveryParts } from "./delivery.ts";
import { jobOfWebhook, type OutboxStore, type WebhookRow } from "./outbox-store.ts";
import { LONGEST_WAIT } from "./retry-schedule.ts";

export type Sender = {
  /** Something may have become due. */
  wake(): void;
  /** Resolves when no attempt is under way; what was, is sent again after the next start. Not to be woken again. */
  stop(): Promise<void>;
};

export type SenderParts = Omit<DeliveryParts, "stopping"> & {
  store: Pick<OutboxStore, "next" | "nextDueAt" | "pullIn">;
  writes: Pick<GroupCommit, "write" | "committed">;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** Each holds a body in memory, 4 MiB at most. */
const MOST_AT_ONCE = 32;
/** Receivers that hang must not take all places. */
const MOST_PER_HOST = 8;
/** The table is looked at this often even if nothing is said to be due: clocks are set, disks recover. */
const LONGEST_SLEEP = milliseconds(60_000);
/** After an outcome was lost: sending on at once would repeat it without end. */
const REST = milliseconds(30_000);

export function createSender({ store, clock, timers, log, ...delivery }: SenderParts): Sender {
  const stopping = new AbortController();
  const deliver = createDelivery({ ...delivery, timers, log, stopping: stopping.signal });
  const underWay = new Map<JobId, { host: string; done: Promise<void> }>();
  let isLookPlanned = false;
  let cancelSleep = () => {};

  const wake = () => {
    if (isLookPlanned || stopping.signal.aborted) return;
    isLookPlanned = true;
    setImmediate(look);
  };
  const release = (job: JobId) => {
    underWay.delete(job);
    wake();
  };
  const begin = (webhook: WebhookRow) => {
    const job = jobOfWebhook(webhook);
    const done = deliver(webhook).then((outcome) => {
      if (outcome === "lost" && !stopping.signal.aborted) timers.after(REST, () => release(job));
      else release(job);
    });
    underWay.set(job, { host: webhook.host, done });
  };
  const beginDue = () => {
    while (underWay.size < MOST_AT_ONCE) {
      const found = store.next({ now: clock.now(), underWay: [...underWay.keys()], fullHosts: full(underWay) });
      if (!found) return;
      begin(found);
    }
  };
  /** Nothing is due later than that, unless the clock was set back: by a year, a receiver that failed once would hear no more for a year. */
  const pullIn = () => {
    const at = clock.now();
    const beyond = instant(at + LONGEST_WAIT);
    if (store.nextDueAt(beyond) !== undefined) delivery.writes.write(() => store.pullIn({ beyond, at }));
  };
  const sleep = () => {
    cancelSleep();
    const now = clock.now();
    const dueAt = store.nextDueAt(now);
    const wait = dueAt === undefined ? LONGEST_SLEEP : Math.min(dueAt - now, LONGEST_SLEEP);
    cancelSleep = timers.after(milliseconds(wait), wake);
  };
  function look() {
    isLookPlanned = false;
    if (stopping.signal.aborted) return;
    try {
      pullIn();
      beginDue();
      sleep();
    } catch (error) {
      log.error("due webhooks could not be looked up", { error: String(error) });
      cancelSleep = timers.after(LONGEST_SLEEP, wake);
    }
  }

  return {
    wake,
    async stop() {
      stopping.abort(new Error("the server stops"));
      cancelSleep();
      await Promise.all([...underWay.values()].map(({ done }) => done));
    },
  };
}

/** Hosts that have as many attempts under way as they may. */
function full(underWay: ReadonlyMap<JobId, { host: string }>): string[] {
  const counts = new Map<string, number>();
  for (const { host } of underWay.values()) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= MOST_PER_HOST).map(([host]) => host);
}

// Sends what is due, apart from all requests: some at a time, and few of them to one host or for one key.
import type { Clock, Timers } from "../../core/clock.ts";
import type { JobId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, instant, milliseconds } from "../../core/units.ts";
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

/**
 * Each holds a body in memory, 4 MiB at most. Who has as many places as are free gets no further one: whatever number of receivers a
 * key has that hang, places are left for others, half of all beside one such key and fewer the more there are.
 */
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
  const underWay = new Map<JobId, Place & { done: Promise<void> }>();
  const due = createDue(store);
  let isLookPlanned = false;
  let cancelSleep = () => {};

  const wake = () => {
    due.mayBeThere();
    lookSoon();
  };
  const lookSoon = () => {
    if (isLookPlanned || stopping.signal.aborted) return;
    isLookPlanned = true;
    setImmediate(look);
  };
  const release = (job: JobId, next: () => void) => {
    underWay.delete(job);
    next();
  };
  const begin = (webhook: WebhookRow) => {
    const job = jobOfWebhook(webhook);
    const done = deliver(webhook).then((outcome) => {
      if (outcome === "lost" && !stopping.signal.aborted) timers.after(REST, () => release(job, wake));
      else release(job, outcome === "settled" ? lookSoon : wake);
    });
    underWay.set(job, { host: webhook.host, owner: webhook.owner ?? "", done });
  };
  const beginDue = () => {
    while (underWay.size < MOST_AT_ONCE) {
      const found = due.next(clock.now(), underWay);
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

type Place = { host: string; owner: string };

/**
 * The longest due one that has a place. A look past tens of thousands that wait for full hosts and owners takes milliseconds: one that
 * found nothing is not made anew before something may have become due, or another one is full.
 */
function createDue(store: Pick<OutboxStore, "next" | "nextDueAt">) {
  let fruitless: { full: string; at: Instant } | undefined;
  const isFruitless = (full: string, now: Instant) =>
    fruitless?.full === full && (store.nextDueAt(fruitless.at) ?? Number.POSITIVE_INFINITY) > now;
  return {
    mayBeThere() {
      fruitless = undefined;
    },
    next(now: Instant, underWay: ReadonlyMap<JobId, Place>): WebhookRow | undefined {
      const places = [...underWay.values()];
      const full = {
        fullHosts: having(MOST_PER_HOST, places, "host"),
        fullOwners: having(MOST_AT_ONCE - places.length, places, "owner"),
      };
      const tried = JSON.stringify(full);
      if (isFruitless(tried, now)) return undefined;
      const found = store.next({ now, underWay: [...underWay.keys()], ...full });
      if (!found) fruitless = { full: tried, at: now };
      return found;
    },
  };
}

/** Hosts or owners with so many attempts under way. */
function having(most: number, places: Place[], by: keyof Place): string[] {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place[by], (counts.get(place[by]) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= most)
    .map(([name]) => name)
    .sort();
}

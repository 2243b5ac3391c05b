// Alerts: looks at the box now and then, raises each finding once in its window, and tells a receiver by signed webhook.
import { statfs } from "node:fs/promises";
import { type Clock, evenClock, steady, type Timers } from "../../core/clock.ts";
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import type { JobOutcome } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, instant, milliseconds } from "../../core/units.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { SpendIn } from "../accounts/spend-store.ts";
import { roomIn, roomText } from "../data-room.ts";
import type { Database } from "../database/open.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Monitor } from "../hardware/monitor.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Keys } from "../keys/keys.ts";
import type { Settings } from "../settings.ts";
import type { WebhookRow } from "../webhooks/outbox-store.ts";
import type { Reply } from "../webhooks/post.ts";
import { createSender } from "../webhooks/sender.ts";
import { createSettle } from "../webhooks/settle.ts";
import type { AlertRow, AlertStore } from "./alert-store.ts";
import { createRecentEnds, type RecentEnds } from "./recent-ends.ts";
import { type Finding, findAlerts, type Rules, readSpendRule } from "./rules.ts";

export type Alerts = {
  /** Latest first. */
  list(limit: number): AlertRow[];
  /** Looks at once; `start` does it every half minute. */
  look(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
};

export type AlertsParts = {
  settings: Pick<Settings, "alerts" | "data" | "webhooks">;
  store: AlertStore;
  database: Database;
  jobs: Pick<Jobs, "follow" | "queue">;
  fleet: Pick<Fleet, "subscribe" | "runners">;
  spendIn: SpendIn;
  accounts: Pick<Accounts, "limited" | "stateOf">;
  keys: Pick<Keys, "get">;
  /** Cards that do not answer, whether a model was on them or not. */
  monitor: Pick<Monitor, "snapshot">;
  /** One signed attempt. */
  send: (letter: { id: JobId; user: KeyId; url: string; body: string }, signal: AbortSignal) => Promise<Reply>;
  raised: (rule: string) => void;
  clock: Clock;
  /** What is over by it is removed. */
  sweepClock?: Clock;
  timers: Timers;
  log: Log;
};

const PERIOD = milliseconds(30_000);
/** The error rate is that of the jobs that ended within this. */
const RECENT = milliseconds(5 * 60_000);
/** Alerts older than this are not worth another attempt. */
const RETENTION = milliseconds(24 * 60 * 60_000);
/** How long they are listed: longer than any window in which the same is told once. */
const KEPT = milliseconds(400 * 24 * 60 * 60_000);
/** Between two removals of older ones, and between two looks at what takes the room of a disk that is low. */
const SELDOM = milliseconds(60 * 60_000);
/** Who signs: no key of a caller. */
const USER = asId<KeyId>("forecourt");

/** Throws `misconfigured` for a receiver that there cannot be. */
export function createAlerts(parts: AlertsParts): Alerts {
  const { settings, store, database, jobs, fleet, clock, sweepClock = clock, timers, log } = parts;
  const rules = rulesOf(settings.alerts);
  const receiver = receiverOf(settings.alerts.url);
  const ends = createRecentEnds({ within: RECENT, clock: evenClock(clock) });
  const lost = new Map<string, string>();
  const subscriptions: (() => void)[] = [];
  const counters = { delivered: 0, failedAttempts: 0, dead: 0 };
  const firstWait = milliseconds(settings.webhooks.retrySeconds * 1000);
  const settle = createSettle({
    store: store.outbox,
    writes: database,
    counters,
    firstWait,
    retention: RETENTION,
    clock,
    log,
  });
  const attempt = (row: WebhookRow, signal: AbortSignal) =>
    parts.send({ id: asId<JobId>(row.job), user: USER, url: row.url, body: bodyOf(row) }, signal);
  const sender = createSender({ store: store.outbox, writes: database, attempt, settle, clock, timers, log });

  const stopping = new AbortController();
  const takenBy = seldom(clock, async () => roomText(await roomIn(settings.data, stopping.signal)));
  const removeOld = seldom(clock, async () => {
    database.write(() => store.removeBefore(instant(sweepClock.now() - KEPT)));
  });
  const look = async () => {
    const facts = await gather({ ...parts, ends, lost, takenBy });
    for (const finding of findAlerts(facts, rules)) {
      const row = rowOf(finding, { now: clock.now(), receiver });
      if (!database.write(() => store.insert(row))) continue;
      parts.raised(finding.rule);
      log.warn(finding.message, { alert: finding.rule, subject: finding.subject });
    }
    await database.committed();
    sender.wake();
    await removeOld();
  };
  let callOff = () => {};
  let looking = Promise.resolve();
  let isStopped = false;
  const plan = () => {
    if (isStopped) return;
    callOff = timers.after(PERIOD, () => {
      looking = look()
        .catch((error) => log.error("alerts could not be looked for", { error: String(error) }))
        .finally(plan);
    });
  };

  return {
    list: store.list,
    look,
    start() {
      subscriptions.push(
        jobs.follow((job) => ends.add(isFailureOfBox(job))),
        fleet.subscribe((event) => {
          if (event.type === "gone" && event.failure?.code === "device_lost")
            lost.set(String(event.failure.details?.device ?? "unknown"), event.failure.message);
        }),
      );
      // An operator who corrects the address means those that wait for it too.
      database.write(() => store.redirect(receiver));
      sender.wake();
      plan();
    },
    async stop() {
      isStopped = true;
      stopping.abort();
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
      callOff();
      // It writes: the database is closed next.
      await looking;
      await sender.stop();
    },
  };
}

const CALLERS = new Set(["invalid_input", "bad_request", "file_download_error", "client_cancelled", "start_timeout"]);
const isFailureOfBox = (job: JobOutcome) => job.status === "failed" && !CALLERS.has(job.failure.code);

/** Asked again before that time has passed, it answers as before. */
function seldom<T>(clock: Clock, ask: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    const now = steady(clock);
    if (last && now - last.at < SELDOM) return last.answer;
    const answer = ask();
    last = { at: now, answer };
    answer.catch(() => {
      last = undefined;
    });
    return answer;
  };
}

type Gathering = AlertsParts & { ends: RecentEnds; lost: Map<string, string>; takenBy: () => Promise<string> };

async function gather({ ends, lost, takenBy, clock, jobs, settings, ...box }: Gathering) {
  const budgets = await budgetsOf(box.accounts);
  const now = clock.now();
  for (const { id, isLost } of box.monitor.snapshot().devices)
    if (isLost && !lost.has(id)) lost.set(id, "It does not answer any more.");
  const lostDevices = [...lost].map(([device, reason]) => ({ device, reason }));
  lost.clear();
  const { oldestMs = 0 } = jobs.queue();
  const disk = await statfs(settings.data).catch(() => undefined);
  const diskFreePercent = disk && (100 * disk.bavail) / disk.blocks;
  const isLow = diskFreePercent !== undefined && diskFreePercent < settings.alerts.diskFreePercent;
  return {
    now,
    spendIn: box.spendIn,
    nameOfKey: (id: string) => box.keys.get(asId<KeyId>(id))?.name,
    budgets,
    ended: ends.counts(),
    oldestWaitMs: oldestMs,
    diskFreePercent,
    diskTakenBy: isLow ? await takenBy() : "",
    lostDevices,
  };
}

/** A fifth of a millisecond each where it must be read; between so many the server does its other work. */
const ACCOUNTS_AT_ONCE = 20;

async function budgetsOf(accounts: AlertsParts["accounts"]) {
  const found = [];
  for (const [at, account] of accounts.limited().entries()) {
    if (at % ACCOUNTS_AT_ONCE === ACCOUNTS_AT_ONCE - 1) await new Promise(setImmediate);
    found.push(...accounts.stateOf(account).budgets.map((budget) => ({ ...budget, account })));
  }
  return found;
}

function rowOf(
  { rule, limit, subject, windowStart, message, details }: Finding,
  { now, receiver }: { now: Instant; receiver: Receiver },
) {
  const id = Bun.randomUUIDv7();
  const at = new Date(now).toISOString();
  const window = new Date(windowStart).toISOString();
  return {
    job: id,
    ...{ rule: limit === undefined ? rule : `${rule} ${limit}`, subject, windowStart, origin: "", createdAt: now },
    ...receiver,
    body: JSON.stringify({ type: "alert", id, rule, subject, message, details, at, window_start: window }),
    // Without a receiver it is kept to be looked at.
    ...(receiver.url === ""
      ? { status: "waiting" as const }
      : { status: "pending" as const, dueAt: now, endedAt: now }),
  };
}

type Receiver = { url: string; host: string };

/** Both empty where nobody is to be told. */
function receiverOf(url: string): Receiver {
  return { url, host: url === "" ? "" : new URL(url).host };
}

/** The outbox hands over the whole row of the alert table. */
const bodyOf = (row: WebhookRow & { body?: string }) => row.body ?? "";

const rulesOf = ({ keySpend, teamSpend, boxSpend, ...rest }: Settings["alerts"]): Rules => ({
  ...rest,
  keySpend: keySpend.map(readSpendRule),
  teamSpend: teamSpend.map(readSpendRule),
  boxSpend: boxSpend.map(readSpendRule),
});

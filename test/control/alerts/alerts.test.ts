// Alerts: the mission's own example first; each once in its window, signed, across restarts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseBudget } from "../../../src/control/accounts/budget-text.ts";
import { createSpendStore, type Spend } from "../../../src/control/accounts/spend-store.ts";
import { windowAt } from "../../../src/control/accounts/windows.ts";
import { type Facts, findAlerts, type Rules, readSpendRule } from "../../../src/control/alerts/rules.ts";
import { createOversight } from "../../../src/control/oversight.ts";
import { defaultSettings } from "../../../src/control/settings.ts";
import type { Timers } from "../../../src/core/clock.ts";
import { micros, nanos } from "../../../src/core/money.ts";
import { instant } from "../../../src/core/units.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { isSigned, startReceiver, type WebhookReceiver } from "../../support/webhook-receiver.ts";

const NOON = Date.UTC(2026, 10, 25, 12);
const DAY = 24 * 60 * 60_000;

let receiver: WebhookReceiver;
beforeAll(() => {
  receiver = startReceiver();
});
afterAll(() => receiver[Symbol.asyncDispose]());

let seq = 0;
/** A row of the ledger, as a finished job leaves it. */
const spend = (
  box: Awaited<ReturnType<typeof start>>,
  { key, team = null, cost, at }: { key: string; team?: string | null; cost: number; at: number },
) =>
  box.database.write(() =>
    box.database.sqlite.run(
      `INSERT INTO usage (job, key, team, model, endpoint, outcome, units, cost, currency, admitted_at, ended_at)
       VALUES (?, ?, ?, 'a/b', 'a/b', 'done', '{}', ?, 'USD', ?, ?)`,
      [`job-${seq++}`, key, team, nanos(cost), at, at],
    ),
  );

function start(
  now: () => number,
  { url = `${receiver.origin}/alerts`, ...parts }: { data?: string; timers?: Timers; url?: string } = {},
) {
  const defaults = defaultSettings("");
  return createTestAppliance({
    clock: { now: () => instant(now()) },
    ...parts,
    settings: {
      alerts: { ...defaults.alerts, url, diskFreePercent: 0 },
      fetch: { ...defaults.fetch, allow: ["127.0.0.0/8"] },
    },
  });
}

test("a key that spends more than 300 USD a day is reported once that day, signed, also after a restart", async () => {
  let now = NOON;
  await using box = await start(() => now);
  const { alerts } = box.oversight;
  const heard = receiver.received.length;
  spend(box, { key: "key-a", cost: 299.5, at: now });
  spend(box, { key: "key-b", cost: 10, at: now });
  await alerts.look();
  expect(alerts.list(10)).toEqual([]);
  spend(box, { key: "key-a", cost: 0.51, at: now + 1 });
  await alerts.look();
  const [letter] = (await receiver.count(heard + 1)).slice(heard);
  expect(JSON.parse(letter?.body ?? "")).toMatchObject({
    type: "alert",
    rule: "key-spend",
    subject: "key-a",
    message: "key-a spent 300.01 USD this day, more than 300.",
    details: { spent: "300.01", limit: "300", currency: "USD", window: "day" },
    window_start: "2026-11-25T00:00:00.000Z",
  });
  expect(letter && isSigned(letter, [box.webhooks.publicKey], now)).toBe(true);

  spend(box, { key: "key-a", cost: 500, at: now + 2 });
  now += 3 * 60 * 60_000;
  await alerts.look();
  await box.stop();
  await using again = await start(() => now, { data: box.data });
  await again.oversight.alerts.look();
  expect(again.oversight.alerts.list(10)).toHaveLength(1);
  expect(receiver.received).toHaveLength(heard + 1);

  now += DAY;
  await again.oversight.alerts.look();
  expect(again.oversight.alerts.list(10)).toHaveLength(1); // a new day begins at nothing
  spend(again, { key: "key-a", cost: 301, at: now });
  await again.oversight.alerts.look();
  expect(again.oversight.alerts.list(10)).toHaveLength(2);
  await receiver.count(heard + 2);
});

test("a receiver that is down is tried again, and an address that is corrected or removed counts for what waits", async () => {
  const clock = createTestClock(NOON);
  await using down = startReceiver(() => new Response("away", { status: 503 }));
  const heard = receiver.received.length;
  await using box = await start(clock.now, { timers: clock, url: `${down.origin}/wrong` });
  spend(box, { key: "key-a", cost: 301, at: NOON });
  await box.oversight.alerts.look();
  const [refused] = await down.count(1);
  await box.stop();
  clock.advance(60_000);
  await using silent = await start(clock.now, { data: box.data, timers: clock, url: "" });
  expect(silent.oversight.alerts.list(10)).toMatchObject([{ status: "waiting", url: "", dueAt: null }]);
  spend(silent, { key: "key-b", cost: 301, at: NOON });
  await silent.oversight.alerts.look();
  await silent.stop();

  await using wrong = await start(clock.now, { data: box.data, timers: clock, url: `${down.origin}/wrong` });
  spend(wrong, { key: "key-c", cost: 301, at: NOON });
  await wrong.oversight.alerts.look();
  await down.count(2);
  await wrong.stop();
  clock.advance(60_000);
  await using right = await start(clock.now, { data: box.data, timers: clock });
  const [letter] = (await receiver.count(heard + 1)).slice(heard);
  expect([refused, letter].map((each) => JSON.parse(each?.body ?? "").subject)).toEqual(["key-a", "key-c"]);
  await right.stop();
  expect(receiver.received.length).toBe(heard + 1);
});

test("what a request that came in before midnight comes to after it is reported for its own day, once", async () => {
  let now = NOON + DAY / 2 - 1;
  await using box = await start(() => now);
  const { alerts } = box.oversight;
  spend(box, { key: "key-a", cost: 299, at: now });
  await alerts.look();
  spend(box, { key: "key-a", cost: 2, at: now });
  now += 20 * 60_000;
  for (const _ of [1, 2]) await alerts.look();
  expect(alerts.list(10).map(({ body }) => JSON.parse(body))).toMatchObject([
    {
      message: "key-a spent 301 USD in the day from 2026-11-25T00:00:00.000Z, more than 300.",
      window_start: "2026-11-25T00:00:00.000Z",
    },
  ]);
});

test("a look that is under way when the box stops is brought to its end first", async () => {
  const clock = createTestClock(NOON);
  const heard = receiver.received.length;
  await using box = await start(clock.now, { timers: clock });
  spend(box, { key: "key-a", cost: 301, at: NOON });
  clock.advance(30_000);
  await box.stop();
  await using again = await start(clock.now, { data: box.data });
  expect(again.oversight.alerts.list(10)).toHaveLength(1);
  await receiver.count(heard + 1);
});

test("the box itself is watched: a lost device and many failures are told", async () => {
  await using box = await createTestAppliance({
    clock: { now: () => instant(NOON) },
    settings: { alerts: { ...defaultSettings("").alerts, diskFreePercent: 0 } },
  });
  box.fleet.load({ runner: "r1", model: box.catalog.list()[0]?.model, device: box.device, weights: "" } as never);
  const [runner] = box.fleet.runners();
  if (!runner) throw new Error("a runner was loaded");
  box.fleet.die(runner.id, {
    code: "device_lost",
    message: "The card fell off the bus.",
    details: { device: "cuda:0" },
  });
  await box.oversight.alerts.look();
  await box.oversight.alerts.look();
  const [row, ...others] = box.oversight.alerts.list(10);
  expect(others).toEqual([]);
  expect(row).toMatchObject({ rule: "device-lost", subject: "cuda:0", status: "waiting", url: "" });
});

test("spend is that of the sums and of the rows that are not in them yet, by key, team and in all", async () => {
  await using box = await createTestAppliance({ clock: { now: () => instant(NOON) } });
  const spendIn = createSpendStore(box.database);
  const day = { ...windowAt(NOON, "day"), name: "day" as const };
  const all = () => (["key", "team", "all"] as const).map((by) => spendIn(by, day).map(shown).sort());
  const shown = ({ subject, currency, cost }: Spend) => `${subject}: ${cost / 1e9} ${currency}`;
  const told = [["a: 60 USD", "b: 51 USD", "c: 500 USD"], ["x: 111 USD"], [": 611 USD"]];
  spend(box, { key: "a", team: "x", cost: 60, at: NOON });
  spend(box, { key: "b", team: "x", cost: 50, at: NOON - 11 * 3_600_000 });
  spend(box, { key: "c", cost: 500, at: NOON });
  spend(box, { key: "a", cost: 7, at: NOON - DAY });
  box.accounts.totals.rollUp(2);
  spend(box, { key: "b", team: "x", cost: 1, at: NOON });
  expect(all()).toEqual(told);
  while (box.accounts.totals.rollUp(100));
  expect(all()).toEqual(told);
});

test("a key and a team that come to 80 % of a budget are reported once, and once more at its end", async () => {
  await using box = await createTestAppliance({
    clock: { now: () => instant(NOON) },
    settings: { alerts: { ...defaultSettings("").alerts, diskFreePercent: 0 } },
  });
  const { key } = box.keys.create({ name: "app", scope: "api", team: "art" });
  box.accounts.store.setLimits({ kind: "key", id: key.id }, { budgets: [parseBudget("10 USD/day")] });
  box.accounts.store.setLimits({ kind: "team", id: "art" }, { budgets: [parseBudget("10 USD/month soft")] });
  const told = async (cost: number) => {
    spend(box, { key: key.id, team: "art", cost, at: NOON });
    box.accounts.store.setLimits({ kind: "model", id: "other/model" }, {}); // as after another process's write: all is read again
    await box.oversight.alerts.look();
    return box.oversight.alerts
      .list(10)
      .map(({ rule, subject }) => `${rule}: ${subject.split(" ")[0]}`)
      .sort();
  };
  expect(await told(7.99)).toEqual([]);
  const first = ["budget-used 80 % of 10 USD/day: key", "budget-used 80 % of 10 USD/month soft: team"];
  expect(await told(0.01)).toEqual(first);
  expect(await told(1)).toEqual(first);
  expect(await told(1.5)).toEqual([
    ...["budget-used 100 % of 10 USD/day: key", "budget-used 100 % of 10 USD/month soft: team"],
    ...first,
  ]);
});

test("a key is told by its name as well: ids say nothing to people", async () => {
  let now = NOON;
  await using box = await start(() => now);
  const { alerts } = box.oversight;
  const { key } = box.keys.create({ name: "art app", scope: "api" });
  box.accounts.store.setLimits({ kind: "key", id: key.id }, { budgets: [parseBudget("400 USD/day")] });
  spend(box, { key: key.id, cost: 350, at: now });
  now += 1;
  await alerts.look();
  expect(alerts.list(10).map(({ body }) => JSON.parse(body))).toMatchObject([
    {
      rule: "budget-used",
      message: `The key art app (${key.id}) has used 350 USD of its 400 USD/day: 80 % or more.`,
      details: { name: "art app" },
    },
    { rule: "key-spend", subject: key.id, message: expect.stringContaining(`art app (${key.id}) spent 350 USD`) },
  ]);
});

test("a card that does not answer is told, whether a model was on it or not", async () => {
  const monitored = { id: "cuda:0", isLost: true };
  await using box = await createTestAppliance({ clock: { now: () => instant(NOON) } });
  const alerts = createOversight({
    ...box,
    clock: { now: () => instant(NOON) },
    timers: { after: () => () => {} },
    monitor: { snapshot: () => ({ at: instant(NOON), devices: [monitored] }) as never },
  }).alerts;
  await alerts.look();
  await alerts.look();
  expect(alerts.list(10).filter(({ rule }) => rule === "device-lost")).toMatchObject([{ subject: "cuda:0" }]);
});

const none: Rules = {
  keySpend: [],
  teamSpend: [],
  boxSpend: [],
  budgetPercents: [],
  errorPercent: 0,
  queueWaitSeconds: 0,
  diskFreePercent: 0,
};
const calm: Facts = {
  now: instant(NOON),
  spendIn: () => [],
  nameOfKey: () => undefined,
  budgets: [],
  ended: { all: 0, failed: 0 },
  oldestWaitMs: 0,
  diskFreePercent: 50,
  diskTakenBy: "",
  lostDevices: [],
};
const rulesFound = (facts: Partial<Facts>, rules: Partial<Rules>) =>
  findAlerts({ ...calm, ...facts }, { ...none, ...rules }).map(({ rule, subject }) => [rule, subject]);

describe("rules", () => {
  test("a calm box and rules that are off raise nothing", () => {
    expect(rulesFound({}, { errorPercent: 50, queueWaitSeconds: 10, diskFreePercent: 5 })).toEqual([]);
    expect(rulesFound({ ended: { all: 100, failed: 100 }, oldestWaitMs: 1e9, diskFreePercent: 0 }, {})).toEqual([]);
  });

  test("failures count from twenty requests on, waits and disks from their limit on", () => {
    expect(rulesFound({ ended: { all: 19, failed: 19 } }, { errorPercent: 50 })).toEqual([]);
    expect(rulesFound({ ended: { all: 20, failed: 9 } }, { errorPercent: 50 })).toEqual([]);
    expect(rulesFound({ ended: { all: 20, failed: 10 } }, { errorPercent: 50 })).toEqual([["error-rate", ""]]);
    expect(rulesFound({ oldestWaitMs: 9_999 }, { queueWaitSeconds: 10 })).toEqual([]);
    expect(rulesFound({ oldestWaitMs: 10_000 }, { queueWaitSeconds: 10 })).toEqual([["queue-wait", ""]]);
    expect(rulesFound({ diskFreePercent: 4.9 }, { diskFreePercent: 5 })).toEqual([["disk-low", ""]]);
    expect(rulesFound({ diskFreePercent: undefined }, { diskFreePercent: 5 })).toEqual([]);
  });

  test("spend is over its limit only beyond it, in its own currency", () => {
    const facts = {
      spendIn: () => [
        { subject: "x", currency: "USD", cost: nanos(110) },
        { subject: "y", currency: "EUR", cost: nanos(1000) },
      ],
    };
    expect(rulesFound(facts, { keySpend: [readSpendRule("100 USD/day")] })).toEqual([["key-spend", "x"]]);
    expect(rulesFound(facts, { teamSpend: [readSpendRule("109.99 USD/month")] })).toEqual([["team-spend", "x"]]);
    expect(rulesFound(facts, { boxSpend: [readSpendRule("110 USD/hour")] })).toEqual([]);
  });

  test("of the shares of a budget that were reached the highest is told", () => {
    const budget = { account: { kind: "team" as const, id: "art" }, unit: "requests", window: "day" as const };
    const found = (spent: number) =>
      findAlerts(
        { ...calm, budgets: [{ ...budget, amount: micros(10), spent: micros(spent), text: "10 requests/day" }] },
        { ...none, budgetPercents: [80, 100] },
      ).map(({ limit, message }) => [limit, message]);
    expect(found(7)).toEqual([]);
    expect(found(8)).toEqual([
      ["80 % of 10 requests/day", "The team art has used 8 requests of its 10 requests/day: 80 % or more."],
    ]);
    expect(found(9.9)).toMatchObject([["80 % of 10 requests/day", expect.anything()]]);
    expect(found(10)).toMatchObject([["100 % of 10 requests/day", expect.anything()]]);
    expect(found(12)).toMatchObject([["100 % of 10 requests/day", expect.anything()]]);
  });

  test("windows begin with the hour, day and month in UTC", () => {
    const now = instant(Date.UTC(2026, 1, 28, 23, 59, 59));
    const begins = (window: "hour" | "day" | "month") => new Date(windowAt(now, window).start).toISOString();
    expect([begins("hour"), begins("day"), begins("month")]).toEqual([
      "2026-02-28T23:00:00.000Z",
      "2026-02-28T00:00:00.000Z",
      "2026-02-01T00:00:00.000Z",
    ]);
  });
});

test("what takes the room of a disk that is low is named", async () => {
  const defaults = defaultSettings("");
  await using box = await createTestAppliance({
    settings: { alerts: { ...defaults.alerts, diskFreePercent: 100 } },
  });
  const content = new Uint8Array(3_000_000).fill(7);
  mkdirSync(join(box.data, "uploads", "a"), { recursive: true });
  writeFileSync(join(box.data, "uploads", "a", "b.bin"), content);
  mkdirSync(join(box.data, "weights"));
  writeFileSync(join(box.data, "weights", "w"), content.subarray(0, 2_000_000));
  await box.oversight.alerts.look();
  const [alert] = box.oversight.alerts.list(1);
  expect(alert?.rule).toBe("disk-low");
  expect(JSON.parse(alert?.body ?? "").message).toMatch(
    /^[\d.]+ % of the disk is free\. The data directory takes: uploads 3 MB, weights 2 MB/,
  );
});

test("alerts are kept for longer than any window, and not for ever", async () => {
  let now = NOON;
  await using box = await start(() => now, { url: "" });
  const { alerts } = box.oversight;
  spend(box, { key: "key-a", cost: 301, at: now });
  await alerts.look();
  now += 300 * DAY;
  spend(box, { key: "key-b", cost: 301, at: now });
  await alerts.look();
  expect(alerts.list(9).map(({ subject }) => subject)).toEqual(["key-b", "key-a"]);
  now += 101 * DAY;
  await alerts.look();
  expect(alerts.list(9).map(({ subject }) => subject)).toEqual(["key-b"]);
});

test("looking through many budgets leaves others their turns, and keys that are over are passed by", async () => {
  await using box = await start(() => NOON);
  const limits = { budgets: [parseBudget("10 USD/day")] };
  const made = Array.from({ length: 200 }, (_, n) => box.keys.create({ name: `app ${n}`, scope: "api" }).key.id);
  for (const id of made) box.accounts.store.setLimits({ kind: "key", id }, limits);
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await box.oversight.alerts.look();
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(10);
  for (const id of made.slice(1)) box.keys.revoke(id);
  expect(box.accounts.limited().map(({ id }) => id)).toEqual(made.slice(0, 1));
});

// Sums of usage: every finished request once, whoever sums up and however often.
import { expect, spyOn, test } from "bun:test";
import { createSpendStore } from "../../../src/control/accounts/spend-store.ts";
import { createTotalsStore, OTHER_TAGS } from "../../../src/control/accounts/totals-store.ts";
import { reportUsage, usageCsv } from "../../../src/control/accounts/usage-report.ts";
import { windowAt } from "../../../src/control/accounts/windows.ts";
import { micros, type Nanos, nanos } from "../../../src/core/money.ts";
import { instant } from "../../../src/core/units.ts";
import { createAccountBoard } from "../../support/account-board.ts";
import { cpuMs } from "../../support/cpu-time.ts";

async function used() {
  const board = createAccountBoard();
  const { keyOf, submit, finish, clock, jobs, accounts, keys } = board;
  const start = clock.now();
  const [ann, bob] = [keyOf({}, { name: "ann", team: "art" }), keyOf({}, { name: "=bob" })];
  finish(await submit({ key: ann, tags: { project: "x" } }), { requests: 1, images: 2 });
  accounts.totals.rollUp(1);
  finish(await submit({ key: ann, tags: { project: "x", cost: "y" } }), { requests: 1, images: 3 });
  clock.advance(3_600_000);
  finish(await submit({ key: bob }));
  jobs.cancel((await submit({ key: bob })).id);
  const report = (by: "all" | "key" | "team" | "model" | "tag", each?: "hour") =>
    reportUsage(
      { totals: accounts.totals, keys },
      { by, since: instant(start), until: instant(clock.now() + 1), ...(each && { each }) },
    );
  return { ...board, report, ann, bob };
}

test("usage is summed up by key, team, model and tag, and asking twice changes nothing", async () => {
  const { report, ann } = await used();
  for (let times = 0; times < 2; times++) {
    expect(await report("all")).toMatchObject([{ requests: 4, cancelled: 1, cost: "0.06", currency: "USD" }]);
    expect(await report("key")).toMatchObject([
      { value: ann, name: "ann", requests: 2, cost: "0.04", units: { images: "5", requests: "2" } },
      { name: "=bob", requests: 2, cancelled: 1, cost: "0.02", units: { requests: "1" } },
    ]);
    expect(await report("team")).toMatchObject([{ value: "art", requests: 2 }]);
    expect(await report("model")).toMatchObject([{ value: "forecourt/echo", requests: 4 }]);
    expect((await report("tag")).map(({ value, requests }) => [value, requests])).toEqual([
      ["cost=y", 1],
      ["project=x", 2],
    ]);
  }
  expect((await report("all", "hour")).map(({ requests }) => requests)).toEqual([2, 2]);
});

test("a caller with a tag of its own for each request leaves a bounded number of sums, in which every request is", async () => {
  const { database, keyOf, submit, finish } = createAccountBoard();
  const key = keyOf();
  const most = { hour: 3, day: 5, month: 8 };
  for (const round of [1, 2]) {
    const totals = createTotalsStore(database, most);
    for (let n = 0; n < 10; n++) finish(await submit({ key, tags: { run: String(n) } }));
    while (totals.rollUp(4));
    for (const period of ["hour", "day", "month"] as const) {
      const sums = totals.page(
        { by: "tag", period, since: instant(0), until: instant(Number.MAX_SAFE_INTEGER) },
        { limit: 1000 },
      );
      expect(sums).toHaveLength(most[period] + 1);
      const [others] = sums.filter(({ value }) => value === OTHER_TAGS);
      expect(others?.requests).toBe(round * (10 - most[period]));
    }
  }
});

test("what is in the sums and what is not yet count for a budget alike", async () => {
  const { accounts, ann, limit } = await used();
  limit({ kind: "key", id: ann }, { budgets: ["1 USD/day", "9 images/day"] });
  expect(accounts.stateOf({ kind: "key", id: ann }).budgets.map(({ spent }) => Number(spent))).toEqual([
    Number(nanos(0.04)),
    Number(micros(5)),
  ]);
});

test("what an account used is found in the sums and the few rows after them, however many rows there are before", () => {
  const { accounts, database, clock } = createAccountBoard();
  const at = clock.now();
  const window = { ...windowAt(at, "month"), name: "month" as const };
  const insert = database.sqlite.query(
    `INSERT INTO usage (job, key, team, model, endpoint, outcome, units, cost, currency, admitted_at, ended_at)
     VALUES (?, 'a', 'art', 'm', 'm', 'done', '{}', 1, 'USD', ?, ?)`,
  );
  let rows = 0;
  const add = (count: number) =>
    database.write(() => {
      for (let n = 0; n < count; n++) insert.run(`job-${rows++}`, at, at);
    });
  const spentIn = createSpendStore(database);
  /** As if all rows were in the sums, but for what comes after. */
  const askedMs = () => {
    database.write(() => {
      database.sqlite.run("INSERT OR REPLACE INTO usage_mark (id, seq) SELECT 1, max(seq) FROM usage");
    });
    add(3);
    const before = cpuMs();
    for (let n = 0; n < 50; n++) {
      expect(accounts.usage.used({ kind: "key", id: "a" }, "USD", window)).toBe(3);
      expect(spentIn("team", window)).toEqual([{ subject: "art", currency: "USD", cost: 3 as Nanos }]);
    }
    return cpuMs() - before;
  };
  add(50);
  askedMs();
  const few = askedMs();
  add(100_000);
  expect(askedMs()).toBeLessThan(3 * few + 100);
});

test("rows that are not in the sums are never removed", async () => {
  const { accounts, clock, database } = await used();
  const later = instant(clock.now() + 1e9);
  expect(database.write(() => accounts.usage.removeBefore(later, 100))).toBe(1);
  while (accounts.totals.rollUp(100));
  expect(database.write(() => accounts.usage.removeBefore(later, 100))).toBe(3);
});

test("CSV has a column for each unit and no formulas", async () => {
  const { report } = await used();
  const [header, first, second] = (await usageCsv(await report("key"))).split("\r\n");
  expect(header).toBe("start,value,name,requests,failed,cancelled,cost,currency,run_seconds,gpu_seconds,images");
  expect(first).toContain(",ann,2,0,0,0.04,USD,0,0,5");
  expect(second).toContain(",'=bob,2,0,1,0.02,USD,0,0,0");
});

test("a time without parts is put together of whole months, days and hours, and comes to what all its hours do", async () => {
  const { database, keys, accounts } = createAccountBoard();
  const at = (text: string) => instant(Date.parse(text));
  const insert = database.sqlite.query(
    `INSERT INTO usage (job, key, model, endpoint, tags, outcome, units, cost, currency, admitted_at, ended_at)
     VALUES (?, 'a', 'm', 'm', ?, 'done', '{"images":1}', ?, ?, ?, ?)`,
  );
  const [first, last] = [at("2026-01-29T20:30:00Z"), at("2026-04-02T03:30:00Z")];
  let count = 0;
  database.write(() => {
    for (let time = first; time <= last; time = instant(time + 5 * 3_600_000), count++)
      insert.run(`job-${count}`, `{"n":"${count % 7}"}`, count, count % 2 ? "USD" : "EUR", time, time);
  });
  const query = (by: "all" | "tag", more = {}) =>
    reportUsage(
      { totals: accounts.totals, keys },
      { by, since: instant(0), until: at("2999-01-01T00:00:00Z"), ...more },
    );
  const read = spyOn(accounts.totals, "page");
  const [sums, hours] = [await query("tag"), await query("tag", { each: "hour" })];
  const periods = read.mock.calls.map(([{ period }]) => period);
  const all = [
    ...Array(4).fill("hour"),
    ...Array(2).fill("day"),
    ...Array(2).fill("month"),
    "day",
    ...Array(4).fill("hour"),
  ];
  expect(periods).toEqual([...all, "hour"]);
  const everywhere = { by: "tag", period: "hour", since: instant(0), until: at("2999-01-01T00:00:00Z") } as const;
  const { totals } = accounts;
  const walked = [];
  for (let page = totals.page(everywhere, { limit: 7 }); page.length > 0; ) {
    walked.push(...page);
    page = totals.page(everywhere, { after: page.at(-1), limit: 7 });
  }
  expect(walked).toEqual(totals.page(everywhere, { limit: 10_000 }));
  expect(walked).toHaveLength(hours.length);
  const cost = (lines: typeof sums, value: string, currency: string) =>
    lines
      .filter((line) => line.value === value && line.currency === currency)
      .reduce((sum, line) => sum + Number(line.cost), 0);
  expect(sums).toHaveLength(14);
  for (const { value, currency } of sums)
    expect(cost(sums, value, currency)).toBeCloseTo(cost(hours, value, currency), 9);
  expect(sums.reduce((sum, { requests }) => sum + requests, 0)).toBe(count);
  const march = await query("all", { since: at("2026-03-01T00:00:00Z"), until: at("2026-04-01T00:00:00Z") });
  expect(march.map(({ requests }) => requests).reduce((a, b) => a + b)).toBe(
    hours.filter(({ start }) => start?.startsWith("2026-03")).reduce((sum, { requests }) => sum + requests, 0),
  );
});

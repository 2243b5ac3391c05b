// What is read of the ledger: rows by whom, when and page; what was used and spent in a window, summed up or not yet.
import { expect, test } from "bun:test";
import { createSpendStore } from "../../../src/control/accounts/spend-store.ts";
import type { UsageFilter } from "../../../src/control/accounts/usage-store.ts";
import { windowAt } from "../../../src/control/accounts/windows.ts";
import { micros, nanos } from "../../../src/core/money.ts";
import { type Instant, instant } from "../../../src/core/units.ts";
import { createAccountBoard } from "../../support/account-board.ts";
import { createTestClock } from "../../support/test-clock.ts";

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2028, 0, 1, 9);

/** Five jobs at two cents: Ann's at 9, 10 and 11 o'clock, Bob's at 10, one at 11 of a key without a team. */
async function ledger() {
  const clock = createTestClock(BEGIN);
  const board = createAccountBoard({ clock });
  const { keyOf, submit, finish } = board;
  const keys = { ann: keyOf({}, { team: "art" }), bob: keyOf({}, { team: "science" }), solo: keyOf() };
  const jobs: string[] = [];
  const call = async (key: keyof typeof keys) => {
    const job = await submit({ key: keys[key] });
    finish(job);
    jobs.push(job.id);
  };
  await call("ann");
  clock.advance(HOUR);
  await call("ann");
  await call("bob");
  clock.advance(HOUR);
  await call("ann");
  await call("solo");
  return { ...board, ids: keys, jobs };
}
const at = (hour: number): Instant => instant(BEGIN + (hour - 9) * HOUR);

test("rows are found by key, team, model, job and time", async () => {
  const { accounts, ids, jobs, model } = await ledger();
  const rows = (filter: Partial<UsageFilter>) =>
    accounts.usage.rows({ limit: 9, ...filter }).map(({ job }) => jobs.indexOf(job));
  expect(rows({})).toEqual([0, 1, 2, 3, 4]);
  expect(rows({ latestFirst: true, limit: 2 })).toEqual([4, 3]);
  expect(rows({ key: ids.ann })).toEqual([0, 1, 3]);
  expect(rows({ keys: [ids.bob, ids.solo] })).toEqual([2, 4]);
  expect(rows({ team: "science" })).toEqual([2]);
  expect(rows({ model: model.id })).toHaveLength(5);
  expect(rows({ model: "other/model" })).toEqual([]);
  expect(rows({ endpoints: ["other/model"] })).toEqual([]);
  expect(rows({ endpoints: [model.id, "other/model"] })).toHaveLength(5);
  expect(rows({ jobs: [jobs[1] ?? "", jobs[4] ?? "", "unknown"] })).toEqual([1, 4]);
  expect(rows({ since: at(10) })).toEqual([1, 2, 3, 4]);
  expect(rows({ until: at(11) })).toEqual([0, 1, 2]);
  expect(rows({ since: at(10), until: at(11), key: ids.ann })).toEqual([1]);
});

test("rows come page by page, each on one of them", async () => {
  const { accounts, jobs } = await ledger();
  const pages: number[][] = [];
  let after: number | undefined;
  do {
    const page = accounts.usage.rows({ limit: 2, after, since: at(10) });
    pages.push(page.map(({ job }) => jobs.indexOf(job)));
    after = page.at(-1)?.seq;
  } while (after !== undefined);
  expect(pages).toEqual([[1, 2], [3, 4], []]);
});

test("what rows came to is told from behind one of them, with the latest", async () => {
  const { accounts, model } = await ledger();
  const { usage } = accounts;
  const last = usage.last();
  const two = { model: model.id, currency: "USD", cost: nanos(0.04) };
  expect(usage.spentAfter(last - 2)).toMatchObject({ last, spent: [two] });
  expect(usage.spentAfter(last)).toEqual({ last, spent: [] });
});

test.each([0, 2, 9])("what was used and spent in a window is the same with %d rows summed up", async (summed) => {
  const { accounts, ids, database } = await ledger();
  if (summed > 0) accounts.totals.rollUp(summed);
  const hour = (of: number) => ({ ...windowAt(at(of), "hour"), name: "hour" as const });
  const used = (of: number, unit = "requests") => accounts.usage.used({ kind: "key", id: ids.ann }, unit, hour(of));
  expect([8, 9, 10, 11, 12].map((of) => used(of))).toEqual([0, 1, 1, 1, 0].map(micros));
  expect(used(10, "USD")).toBe(nanos(0.02));
  expect(accounts.usage.used({ kind: "team", id: "science" }, "USD", hour(10))).toBe(nanos(0.02));
  const spendIn = createSpendStore(database);
  const day = { ...windowAt(at(9), "day"), name: "day" as const };
  const spent = (by: Parameters<typeof spendIn>[0], window: Parameters<typeof spendIn>[1]) =>
    Object.fromEntries(spendIn(by, window).map(({ subject, currency, cost }) => [`${subject} ${currency}`, cost]));
  expect(spent("key", day)).toEqual({
    [`${ids.ann} USD`]: nanos(0.06),
    [`${ids.bob} USD`]: nanos(0.02),
    [`${ids.solo} USD`]: nanos(0.02),
  });
  expect(spent("team", day)).toEqual({ "art USD": nanos(0.06), "science USD": nanos(0.02) });
  expect(spent("all", day)).toEqual({ " USD": nanos(0.1) });
  expect(spent("key", hour(10))).toEqual({ [`${ids.ann} USD`]: nanos(0.02), [`${ids.bob} USD`]: nanos(0.02) });
  expect(spent("all", hour(12))).toEqual({});
});

test("a team that is named like a key counts for itself alone, summed up or not", async () => {
  const { accounts, ids, keyOf, submit, finish } = await ledger();
  finish(await submit({ key: keyOf({}, { team: ids.ann }) }));
  const hour = { ...windowAt(at(11), "hour"), name: "hour" as const };
  const used = () =>
    (["key", "team"] as const).map((kind) => accounts.usage.used({ kind, id: ids.ann }, "requests", hour));
  expect(used()).toEqual([micros(1), micros(1)]);
  accounts.totals.rollUp(99);
  expect(used()).toEqual([micros(1), micros(1)]);
});

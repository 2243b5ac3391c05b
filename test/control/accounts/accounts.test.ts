// Limits, budgets and usage through the waist of the house: what is admitted, set aside, settled and given back.

import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccountStore } from "../../../src/control/accounts/account-store.ts";
import { parsePrice } from "../../../src/control/accounts/price-text.ts";
import { databaseFile, openDatabase } from "../../../src/control/database/open.ts";
import { createKeys } from "../../../src/control/keys/keys.ts";
import { asId, type KeyId, newRunnerId } from "../../../src/core/ids.ts";
import { micros, nanos } from "../../../src/core/money.ts";
import { instant } from "../../../src/core/units.ts";
import { createAccountBoard, limits, pricedModel } from "../../support/account-board.ts";
import { createTestClock } from "../../support/test-clock.ts";

const ofKey = (id: KeyId) => ({ kind: "key" as const, id });

describe("a budget", () => {
  test("is set aside when a job comes in, settled when it is done", async () => {
    const { keyOf, submit, finish, accounts } = createAccountBoard();
    const key = keyOf({ budgets: ["0.05 USD/day"] });
    const job = await submit({ key });
    expect(accounts.stateOf(ofKey(key)).budgets).toMatchObject([
      { spent: 0, reserved: nanos(0.02), remaining: nanos(0.03), text: "0.05 USD/day" },
    ]);
    finish(job);
    expect(accounts.stateOf(ofKey(key)).budgets).toMatchObject([
      { spent: nanos(0.02), reserved: 0, remaining: nanos(0.03) },
    ]);
  });

  test("that is used up refuses in fal's words, with the window and its end", async () => {
    const { keyOf, submit } = createAccountBoard();
    const key = keyOf({ budgets: ["0.05 USD/day"] });
    await submit({ key });
    await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({
      code: "budget_exhausted",
      message: expect.stringMatching(
        /^User is locked. Reason: Exhausted balance. Of its 0.05 USD\/day the key app has used 0 USD, and 0.04 USD are set aside/,
      ),
      details: { account: "key", limit: "0.05 USD/day", resetsAt: expect.stringMatching(/T00:00:00.000Z$/) },
    });
  });

  test("of several that are used up the one that lasts longest is told, and what is left of the others does not help", async () => {
    const { keyOf, limit, submit, finish, clock } = createAccountBoard({
      clock: createTestClock(Date.UTC(2028, 1, 28, 23, 59, 30)),
    });
    const key = keyOf({ budgets: ["2 requests/hour", "4 requests/month", "9 requests/day"] }, { team: "art" });
    limit({ kind: "team", id: "art" }, { budgets: ["3 requests/day"] });
    const refusal = async () =>
      (
        await submit({ key }).then(
          () => ({ details: undefined }),
          (error) => error,
        )
      ).details;
    for (let at = 0; at < 2; at++) finish(await submit({ key }));
    expect(await refusal()).toMatchObject({ limit: "2 requests/hour", resetsAt: "2028-02-29T00:00:00.000Z" });
    clock.advance(30_000); // into the leap day
    for (let at = 0; at < 2; at++) finish(await submit({ key }));
    // The hour's is used up too, and would be free again in an hour.
    expect(await refusal()).toMatchObject({
      limit: "4 requests/month",
      resetsAt: "2028-03-01T00:00:00.000Z",
      retryAfterSeconds: 86_400,
    });
    clock.advance(86_400_000);
    for (let at = 0; at < 2; at++) finish(await submit({ key }));
    expect(await refusal()).toMatchObject({ limit: "2 requests/hour", resetsAt: "2028-03-01T01:00:00.000Z" });
    clock.advance(3_600_000);
    finish(await submit({ key }));
    expect(await refusal()).toMatchObject({ account: "team", limit: "3 requests/day" });
  });

  test("gets back what a failed, a cancelled and a refused job had set aside", async () => {
    const { keyOf, submit, work, jobs, runner, left } = createAccountBoard();
    const key = keyOf({ budgets: ["3 requests/hour"] });
    const [failed, cancelled, refused] = [await submit({ key }), await submit({ key }), await submit({ key })];
    expect(left(ofKey(key))).toEqual(["0 requests"]);
    work.claim(failed.id, { runner, loadMs: 0 });
    work.fail(failed.id, { code: "runner_failed", message: "no" });
    jobs.cancel(cancelled.id);
    work.refuse(refused.id, { code: "start_timeout", message: "late" });
    expect(left(ofKey(key))).toEqual([`${micros(3)} requests`]);
  });

  test("is that of the window in which the job came in; the next one begins anew", async () => {
    const { keyOf, submit, finish, clock, left, accounts } = createAccountBoard();
    const key = keyOf({ budgets: ["1 requests/hour"] });
    const first = await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ code: "budget_exhausted" });
    clock.advance(3_600_000);
    const second = await submit({ key });
    finish(first);
    expect(left(ofKey(key))).toEqual(["0 requests"]);
    finish(second);
    expect(accounts.stateOf(ofKey(key)).budgets).toMatchObject([{ spent: micros(1), reserved: 0 }]);
  });

  test("of a team and of a model counts for all that share it", async () => {
    const { keyOf, submit, limit, model } = createAccountBoard();
    limit({ kind: "team", id: "art" }, { budgets: ["2 requests/day"] });
    const [ann, bob, other] = [keyOf({}, { team: "art" }), keyOf({}, { team: "art" }), keyOf()];
    await submit({ key: ann });
    await submit({ key: bob });
    await expect(submit({ key: ann })).rejects.toThrow(/the team art has used/);
    await submit({ key: other });
    limit({ kind: "model", id: model.id }, { budgets: ["0.01 USD/day"] });
    await expect(submit({ key: other })).rejects.toThrow(/the model forecourt\/echo has used/);
  });

  test("is never charged more than was set aside, unless the key says so", async () => {
    const model = pricedModel({ price: { unit: "token", amount: 0.001, currency: "USD", also: [] } });
    const { keyOf, submit, finish, accounts } = createAccountBoard({ model });
    for (const mayExceed of [false, true]) {
      const key = keyOf({ budgets: ["0.01 USD/day"], ...(mayExceed && { mayExceed: true }) });
      const job = await submit({ key });
      finish(job, { tokens: 25 });
      const [budget] = accounts.stateOf(ofKey(key)).budgets;
      expect(budget).toMatchObject({ spent: nanos(mayExceed ? 0.025 : 0.01), reserved: 0 });
      expect(accounts.usage.row(job.id)).toMatchObject({ cost: nanos(mayExceed ? 0.025 : 0.01) });
    }
  });

  test("is set aside whole where nobody can know the price beforehand, and what was not used comes back", async () => {
    const model = pricedModel({ price: { unit: "token", amount: 0.001, currency: "USD", also: [] } });
    const { keyOf, submit, finish } = createAccountBoard({ model });
    const key = keyOf({ budgets: ["0.1 USD/day"] });
    const job = await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ code: "budget_exhausted" });
    finish(job, { tokens: 40 });
    finish(await submit({ key }), { tokens: 60 });
    await expect(submit({ key })).rejects.toMatchObject({ code: "budget_exhausted" });
  });

  test("in another currency than the price refuses rather than count nothing", async () => {
    const { keyOf, submit } = createAccountBoard();
    const key = keyOf({ budgets: ["10 EUR/day"] });
    await expect(submit({ key })).rejects.toThrow(/budget of 10 EUR\/day, and this model's price is in USD/);
  });

  test("that is soft refuses nobody and says that it was exceeded", async () => {
    const { keyOf, submit, finish, accounts } = createAccountBoard();
    const key = keyOf({ budgets: ["1 requests/day soft"] });
    finish(await submit({ key }));
    finish(await submit({ key }));
    expect(accounts.stateOf(ofKey(key)).budgets).toMatchObject([{ spent: micros(2), isExceeded: true, remaining: 0 }]);
  });

  test("that is given while jobs ran before counts what they used", async () => {
    const { keyOf, submit, finish, limit } = createAccountBoard();
    const key = keyOf();
    finish(await submit({ key }));
    finish(await submit({ key }));
    limit(ofKey(key), { budgets: ["3 requests/day"] });
    await submit({ key });
    await expect(submit({ key })).rejects.toThrow(/has used 2 requests, and 1 requests are set aside/);
  });
});

describe("a limit", () => {
  test("of requests a minute holds in every sixty seconds, and says when the next one is free", async () => {
    const { keyOf, submit, clock } = createAccountBoard();
    const key = keyOf({ requestsPerMinute: 2 });
    await submit({ key });
    clock.advance(30_000);
    await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({
      code: "rate_limited",
      details: { limit: "2 requests/minute", retryAfterSeconds: 30 },
    });
    clock.advance(30_000);
    await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ details: { retryAfterSeconds: 30 } });
  });

  test("of waiting jobs refuses those beyond it", async () => {
    const { keyOf, submit, finish } = createAccountBoard();
    const key = keyOf({ queue: 1 });
    const first = await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ code: "queue_full", details: { limit: "1 queued" } });
    finish(first);
    await submit({ key });
  });

  test("of waiting jobs counts none that may run at once, and none at all still lets one run", async () => {
    const { keyOf, submit, work, runner, finish } = createAccountBoard();
    const two = keyOf({ concurrency: 2, queue: 1 });
    const queued = { rejectInvalid: false };
    const jobs = [
      await submit({ key: two, ...queued }),
      await submit({ key: two, ...queued }),
      await submit({ key: two, ...queued }),
    ];
    await expect(submit({ key: two, ...queued })).rejects.toMatchObject({ code: "queue_full" });
    for (const { id } of jobs.slice(0, 2)) expect(work.claim(id, { runner, loadMs: 0 })).toBeDefined();
    await expect(submit({ key: two, ...queued })).rejects.toMatchObject({ code: "queue_full" });

    const one = keyOf({ concurrency: 1, queue: 0 });
    const first = await submit({ key: one, ...queued });
    await expect(submit({ key: one, ...queued })).rejects.toMatchObject({ code: "queue_full" });
    finish(first);
    const alone = await submit({ key: one, ...queued });
    expect(work.claim(alone.id, { runner, loadMs: 0 })).toBeDefined();
    await expect(submit({ key: one, ...queued })).rejects.toMatchObject({ code: "queue_full" });

    const none = keyOf({ queue: 0 });
    const only = await submit({ key: none, ...queued });
    await expect(submit({ key: none, ...queued })).rejects.toMatchObject({ code: "queue_full" });
    finish(only);
    await submit({ key: none });
  });

  test("of jobs at once lets others of its key wait, those of other keys run, and refuses callers who wait for answers", async () => {
    const { keyOf, submit, work, runner, finish } = createAccountBoard();
    const [one, free] = [keyOf({ concurrency: 1 }), keyOf()];
    const queued = { rejectInvalid: false };
    const [a, b, c] = [
      await submit({ key: one, ...queued }),
      await submit({ key: one, ...queued }),
      await submit({ key: free, ...queued }),
    ];
    const heads = () => work.waiting.heads(a.model, 9).map(({ id }) => id);
    expect(heads().toSorted()).toEqual([a.id, b.id, c.id].toSorted());
    expect(work.claim(a.id, { runner, loadMs: 0 })).toBeDefined();
    expect(heads()).toEqual([c.id]);
    expect(work.claim(b.id, { runner, loadMs: 0 })).toBeUndefined();
    await expect(submit({ key: one })).rejects.toMatchObject({ code: "concurrency_limited" });
    work.finish(a.id, { output: {}, units: {}, device: "cpu" });
    expect(heads().toSorted()).toEqual([b.id, c.id].toSorted());
    finish(b);
    expect(work.claim(c.id, { runner, loadMs: 0 })).toBeDefined();
  });

  test("is that of the key, its team and the model, whichever is met first", async () => {
    const { keyOf, submit, limit } = createAccountBoard();
    const [ann, bob] = [keyOf({ requestsPerMinute: 5 }, { team: "art" }), keyOf({}, { team: "art" })];
    limit({ kind: "team", id: "art" }, { requestsPerMinute: 2 });
    await submit({ key: ann });
    await submit({ key: bob });
    await expect(submit({ key: ann })).rejects.toThrow(/The team art may send 2 requests\/minute/);
  });
});

test("a key uses the models of its patterns and no others", async () => {
  const { keyOf, submit } = createAccountBoard();
  await submit({ key: keyOf({}, { models: ["forecourt/*"] }) });
  await expect(submit({ key: keyOf({}, { models: ["fal-ai/*"] }) })).rejects.toMatchObject({
    code: "forbidden",
    message: "This key may not use forecourt/echo; it may use fal-ai/*.",
  });
});

test("input that is wrong takes part in the rate and leaves no reservation", async () => {
  const { keyOf, submit, accounts, left } = createAccountBoard();
  const key = keyOf({ budgets: ["1 requests/day"], requestsPerMinute: 2 });
  const job = await submit({ key, input: {}, rejectInvalid: false });
  expect(accounts.usage.row(job.id)).toMatchObject({ outcome: "failed", failure: "invalid_input", cost: 0 });
  expect(left(ofKey(key))).toEqual([`${micros(1)} requests`]);
  await submit({ key });
  await expect(submit({ key })).rejects.toMatchObject({ code: "rate_limited" });
});

test("limits that another process changes count in the next turn of the event loop", async () => {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-accounts-"));
  try {
    using database = openDatabase({ file: databaseFile(folder) });
    using tool = openDatabase({ file: databaseFile(folder) });
    const { keyOf, submit, clock } = createAccountBoard({ database });
    const key = keyOf({ budgets: ["1 requests/day"] });
    await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ code: "budget_exhausted" });
    createAccountStore(tool, createKeys({ database: tool, clock })).setLimits(
      ofKey(key),
      limits({ budgets: ["2 requests/day"] }),
    );
    await new Promise(setImmediate);
    await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ code: "budget_exhausted" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what another process uses and sets aside counts in the next turn of the event loop", async () => {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-accounts-"));
  try {
    using database = openDatabase({ file: databaseFile(folder) });
    using beside = openDatabase({ file: databaseFile(folder) });
    const { keyOf, submit, left, clock } = createAccountBoard({ database });
    const other = createAccountBoard({ database: beside, clock });
    const key = keyOf({ budgets: ["4 requests/day"] });
    await submit({ key });
    expect(left(ofKey(key))).toEqual([`${micros(3)} requests`]);
    other.finish(await other.submit({ key }));
    await other.submit({ key });
    beside.flush();
    await new Promise(setImmediate);
    expect(left(ofKey(key))).toEqual([`${micros(1)} requests`]);
    await submit({ key });
    await expect(submit({ key })).rejects.toMatchObject({ code: "budget_exhausted" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a price that is removed is that of its holder and model alone", () => {
  const { accounts } = createAccountBoard();
  const { store } = accounts;
  const price = parsePrice(["1 USD/request"]);
  const places = [
    { holder: "all", model: "*" },
    { holder: "key:ann", model: "*" },
    { holder: "key:ann", model: "acme/*" },
  ];
  for (const place of places) store.setPrice({ ...place, price });
  const left = () => store.book().overrides.map(({ holder, model }) => `${holder} ${model}`);
  expect(store.removePrice({ holder: "key:ann", model: "*" })).toBe(true);
  expect(left().sort()).toEqual(["all *", "key:ann acme/*"]);
  expect(store.removePrice({ holder: "key:ann", model: "*" })).toBe(false);
  expect(left()).toHaveLength(2);
});

test("keys that are over are shown with their own limits", () => {
  const { keyOf, keys, accounts } = createAccountBoard();
  const [ann, bob] = [keyOf({ queue: 1 }), keyOf({ queue: 2 })];
  for (const id of [ann, bob]) keys.revoke(id);
  expect([ann, bob].map((id) => accounts.limitsOf(ofKey(id)))).toEqual([{ queue: 1 }, { queue: 2 }]);
});

test("an open job that goes on under another model counts for that one", async () => {
  const { keyOf, submit, limit, accounts, model, left } = createAccountBoard();
  const [before, after] = [model.id, "forecourt/other"].map((id) => ({ kind: "model" as const, id }));
  if (!before || !after) throw new Error("two models are named");
  for (const each of [before, after]) limit(each, { budgets: ["3 requests/day"] });
  const job = await submit({ key: keyOf() });
  expect([before, after].flatMap(left)).toEqual([`${micros(2)} requests`, `${micros(3)} requests`]);
  accounts.move(job.id, after.id);
  expect([before, after].flatMap(left)).toEqual([`${micros(3)} requests`, `${micros(2)} requests`]);
});

test("what jobs set aside that are not open any more is free again", async () => {
  const { keyOf, submit, accounts, left } = createAccountBoard();
  const key = keyOf({ budgets: ["3 requests/day"] });
  const [open] = [await submit({ key }), await submit({ key }), await submit({ key })];
  expect(left(ofKey(key))).toEqual(["0 requests"]);
  accounts.keepOnly([open.id]);
  expect(left(ofKey(key))).toEqual([`${micros(2)} requests`]);
  expect(accounts.usage.reservations().map(({ job }) => job)).toEqual([open.id]);
});

test("every finished job has one row with what it cost, for whom and how it went", async () => {
  const { keyOf, submit, finish, accounts, clock } = createAccountBoard({
    database: openDatabase({ file: ":memory:" }),
  });
  const key = keyOf({}, { team: "art" });
  const job = await submit({ key, tags: { project: "x" } });
  clock.advance(250);
  finish(job, { requests: 1, images: 3 });
  expect(accounts.usage.row(job.id)).toMatchObject({
    ...{ job: job.id, key, team: "art", model: "forecourt/echo", endpoint: "forecourt/echo", outcome: "done" },
    ...{
      tags: '{"project":"x"}',
      cost: nanos(0.02),
      currency: "USD",
      device: "cpu",
      queueMs: 250,
      loadMs: 0,
      runMs: 0,
    },
    ...{ admittedAt: job.createdAt, endedAt: job.createdAt + 250 },
    units: JSON.stringify({ requests: micros(1), gpu_seconds: 0, images: micros(3) }),
  });
});

describe("time on a device", () => {
  const byTheSecond = pricedModel({ price: { unit: "gpu_second", amount: 0.01, currency: "USD", also: [] } });
  const done = { output: {}, units: { requests: 1 }, device: "cpu" };

  test("of a batch is shared by its jobs at every moment, and adds up to what the runner spent", async () => {
    const { keyOf, submit, work, runner, clock, accounts } = createAccountBoard({ model: byTheSecond });
    const key = keyOf();
    const jobs = await Promise.all(Array.from({ length: 4 }, () => submit({ key })));
    for (const { id } of jobs) work.claim(id, { runner, loadMs: 0 });
    clock.advance(8_000);
    for (const { id } of jobs.slice(0, 2)) work.finish(id, done);
    clock.advance(4_000);
    for (const { id } of jobs.slice(2)) work.finish(id, done);
    const charges = jobs.map(({ id }) => accounts.chargeOf(id));
    expect(charges.map((charge) => charge?.quantity)).toEqual([2, 2, 4, 4].map(micros));
    expect(charges.map((charge) => charge?.cost)).toEqual([0.02, 0.02, 0.04, 0.04].map(nanos));
    expect(accounts.usage.rows({ limit: 9 }).map(({ runMs }) => runMs)).toEqual([8_000, 8_000, 12_000, 12_000]);
  });

  test.each([86_400_000, -3_600_000])("is what passed, though the clock is set by %i ms meanwhile", async (set) => {
    const { keyOf, submit, work, runner, clock, accounts } = createAccountBoard({ model: byTheSecond });
    const { id } = await submit({ key: keyOf() });
    work.claim(id, { runner, loadMs: 0 });
    clock.advance(2_000);
    clock.jump(set);
    clock.advance(1_000);
    work.finish(id, done);
    expect(accounts.chargeOf(id)).toMatchObject({ quantity: micros(3), cost: nanos(0.03) });
    expect(accounts.usage.rows({ limit: 9 })).toMatchObject([{ runMs: 3_000 }]);
  });

  test("is that of a job's own runner alone, and of its last attempt", async () => {
    const { keyOf, submit, work, runner, clock, accounts } = createAccountBoard({ model: byTheSecond });
    const key = keyOf();
    const [one, other] = [await submit({ key }), await submit({ key })];
    const crash = { code: "runner_crashed" as const, message: "gone", details: { signal: "SIGKILL" } };
    work.claim(one.id, { runner, loadMs: 0 });
    work.claim(other.id, { runner: newRunnerId(), loadMs: 0 });
    clock.advance(3_000);
    work.interrupt(one.id, crash);
    work.claim(one.id, { runner, loadMs: 0 });
    clock.advance(2_000);
    work.finish(one.id, done);
    work.finish(other.id, done);
    expect([one, other].map(({ id }) => accounts.chargeOf(id)?.quantity)).toEqual([2, 5].map(micros));
  });
});

test("a charge is in the first unit of the price that counts, tokens added up, and no more than was set aside", async () => {
  const model = pricedModel({ price: { unit: "token", amount: 0.001, currency: "USD", also: [] } });
  const { keyOf, submit, finish, accounts } = createAccountBoard({ model });
  const [free, bound] = [keyOf(), keyOf({ budgets: ["0.02 USD/day"] })];
  const units = { input_tokens: 10, output_tokens: 20 };
  const jobs = [await submit({ key: free }), await submit({ key: bound })];
  for (const job of jobs) finish(job, units);
  expect(accounts.chargeOf(jobs[0]?.id ?? asId(""))).toEqual({
    ...{ cost: nanos(0.03), currency: "USD", quantity: micros(30), unit: "token" },
  });
  expect(accounts.chargeOf(jobs[1]?.id ?? asId(""))?.cost).toBe(nanos(0.02));
});

test("keys that were made, used and ended by a program leave nothing in memory, and are still shown with their limits", async () => {
  const { keys, accounts, clock, database } = createAccountBoard();
  const model = pricedModel();
  const idle = { waiting: () => 0, running: () => 0 };
  const given = limits({ requestsPerMinute: 5, budgets: ["1 USD/month"] });
  const turnOver = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const isRevoked = n % 2 === 0;
      const expiresAt = instant(clock.now() + 1000);
      const { key, secret } = keys.create({ name: "turn", scope: "api", ...(!isRevoked && { expiresAt }) }, (id) =>
        accounts.store.insertLimits(id, given),
      );
      keys.verify(secret);
      accounts.admit({ model, key: key.id, input: {}, isDirect: true }, idle);
      if (isRevoked) keys.revoke(key.id);
      clock.advance(61_000);
      keys.flushUsage();
      await new Promise(setImmediate);
    }
    Bun.gc(true);
    return heapStats().objectCount;
  };
  await turnOver(1_100);
  const before = await turnOver(500);
  expect((await turnOver(500)) - before).toBeLessThan(250);
  expect(accounts.limited()).toEqual([]);
  const all = keys.list();
  expect(all).toHaveLength(2_100);
  for (const key of [all[0], all.at(-1)]) {
    expect(key).toMatchObject({ name: "turn", lastUsedAt: expect.any(Number) });
    expect(accounts.limitsOf({ kind: "key", id: key?.id ?? "" })).toEqual(given);
  }
  // A server that begins reads those in force alone.
  const again = createKeys({ database, clock });
  const { id } = again.create({ name: "new", scope: "api" }).key;
  expect([again.isInForce(id), again.isInForce(asId<KeyId>(all[0]?.id ?? ""))]).toEqual([true, false]);
  expect(again.find("turn")?.id).toBe(all.at(-1)?.id);
}, 60_000);

test("a job pays by the price that it came for, whatever its model costs and in which currency as it ends", async () => {
  const { keyOf, submit, finish, accounts, left } = createAccountBoard();
  const ann = keyOf({ budgets: ["1 USD/day"] });
  const bob = keyOf();
  const jobs = [await submit({ key: ann }), await submit({ key: bob })];
  accounts.store.setPrice({ holder: "all", model: "*", price: parsePrice(["500 EUR/request"]) });
  for (const job of jobs) finish(job);
  expect(jobs.map(({ id }) => accounts.chargeOf(id))).toMatchObject([
    { cost: nanos(0.02), currency: "USD" },
    { cost: nanos(0.02), currency: "USD" },
  ]);
  expect(left(ofKey(ann))).toEqual([`${nanos(0.98)} USD`]);
  await expect(submit({ key: ann })).rejects.toMatchObject({ message: expect.stringContaining("price is in EUR") });
});

// Jobs that nobody hears of before their end: one row, written with their end, or a moment after they came in.
import { expect, test } from "bun:test";
import { milliseconds } from "../../../src/core/units.ts";
import { createAccountBoard, pricedModel } from "../../support/account-board.ts";
import { createJobBoard, eventsOf } from "../../support/job-board.ts";

type Board = ReturnType<typeof createJobBoard>;
type Row = Record<string, unknown>;

const never = () => new AbortController().signal;
const result = { output: { prompt: "hello", steps: 1 }, units: { requests: 1 }, device: "cpu" };
const crash = { code: "runner_crashed" as const, message: "gone", details: { signal: "SIGKILL" } };
const rows = ({ database }: Board) => database.sqlite.query<Row, []>("SELECT * FROM job ORDER BY id").all();
const statuses = (board: Board) => rows(board).map(({ status }) => status);
const held = ({ submit }: Board) => submit({ isAnnounced: false });
/** All that is held is older than one period, and younger than two. */
const HELD_MS = 250;

test("the row of a job that was held is the same as that of one that was written step by step", async () => {
  const board = createJobBoard();
  const { submit, work, runner, database } = board;
  const lifecycle = { acl: { default: "forbid" as const, rules: [] }, keepFor: milliseconds(3_600_000) };
  for (const isAnnounced of [true, false]) {
    const { id } = await submit({ isAnnounced, tags: { a: "b" }, lifecycle });
    expect(work.claim(id, { runner, loadMs: 0 })).toMatchObject({ status: "running", attempts: 1 });
    expect(board.ledger.store.isHeld(id)).toBe(!isAnnounced);
    expect(statuses(board)).toEqual(isAnnounced ? ["running"] : ["done"]);
    expect(work.finish(id, result)).toBe(true);
    expect(work.finish(id, result)).toBe(false);
  }
  await database.committed();
  const [announced, once] = rows(board);
  expect({ ...once, id: 0, files: 0 }).toEqual({ ...announced, id: 0, files: 0 });
  const billed = database.sqlite.query("SELECT job FROM usage ORDER BY job").values().flat();
  expect(billed).toEqual([String(announced?.id), String(once?.id)]);
});

test("a held job is found, counted and followed like any other, and its end is told when it is written", async () => {
  const board = createJobBoard({ maxQueue: 2 });
  const { submit, jobs, work, runner } = board;
  const { id } = await held(board);
  expect(jobs.find(id)).toMatchObject({ status: "queued" });
  expect(jobs.open().map((job) => job.id)).toEqual([id]);
  const next = await submit();
  expect(jobs.position(next.id)).toBe(1);
  await expect(held(board)).rejects.toMatchObject({ code: "queue_full" });
  const seen = eventsOf(jobs.watch(id, never()));
  work.claim(id, { runner, loadMs: 0 });
  work.finish(id, result);
  expect((await seen).map(({ type }) => type)).toEqual(["queued", "started", "finished"]);
  expect(statuses(board)).toEqual(["done", "queued"]);
});

test("what has not ended a moment later is written as it is then, once", async () => {
  const board = createJobBoard();
  const { jobs, work, runner, clock } = board;
  const [waiting, running] = [await held(board), await held(board)];
  work.claim(running.id, { runner, loadMs: 0 });
  clock.advance(HELD_MS);
  expect(rows(board)).toEqual([]);
  clock.advance(HELD_MS);
  expect(rows(board)).toMatchObject([{ status: "queued" }, { status: "running", attempts: 1, runner }]);
  for (const { id } of [waiting, running]) expect(board.ledger.store.isHeld(id)).toBe(false);
  work.finish(running.id, result);
  jobs.cancel(waiting.id);
  clock.advance(10 * HELD_MS);
  expect(statuses(board)).toEqual(["cancelled", "done"]);
  expect(clock.pending()).toBe(0);
});

test("a held job is cancelled while it waits, and while it runs", async () => {
  const board = createJobBoard();
  const { jobs, work, runner } = board;
  const [waiting, running] = [await held(board), await held(board)];
  work.claim(running.id, { runner, loadMs: 0 });
  expect([waiting, running].map(({ id }) => jobs.cancel(id))).toEqual(["requested", "requested"]);
  work.fail(running.id, { code: "client_cancelled", message: "cancelled" });
  expect(statuses(board)).toEqual(["cancelled", "cancelled"]);
});

test("a held job that speaks, or whose runner dies, is written before", async () => {
  const board = createJobBoard({ retries: 1 });
  const { jobs, work, runner } = board;
  const [speaking, dying] = [await held(board), await held(board)];
  for (const { id } of [speaking, dying]) work.claim(id, { runner, loadMs: 0 });
  work.log(speaking.id, "one");
  work.interrupt(dying.id, crash);
  expect(rows(board)).toMatchObject([{ status: "running" }, { status: "queued", attempts: 1, kills: 1 }]);
  expect(jobs.logs(speaking.id).map(({ message }) => message)).toEqual(["one"]);
  expect(work.claim(dying.id, { runner, loadMs: 0 })).toMatchObject({ status: "running", attempts: 2 });
});

test("what is held is written before the end of the process", async () => {
  const board = createJobBoard();
  await held(board);
  board.work.flush();
  expect(statuses(board)).toEqual(["queued"]);
});

/** No page more than there are: what SQLite says of a full disk. */
function fillDisk({ database }: Board): { empty(): void } {
  const pages = database.sqlite.query("PRAGMA page_count").values()[0]?.[0];
  database.sqlite.run(`PRAGMA max_page_count = ${pages}`);
  return { empty: () => database.sqlite.run("PRAGMA max_page_count = 1000000") };
}

test("an end that a full disk refused is no end: the job runs again, and newcomers are refused until there is room", async () => {
  const board = createJobBoard();
  const { jobs, work, runner, database } = board;
  const big = { ...result, output: { prompt: "x".repeat(100_000) } };
  const { id } = await held(board);
  work.claim(id, { runner, loadMs: 0 });
  const disk = fillDisk(board);
  expect(() => work.finish(id, big)).toThrow();
  await expect(database.committed()).rejects.toMatchObject({ code: "unavailable" });
  expect(jobs.find(id)).toMatchObject({ status: "running" });
  expect(board.ledger.store.isHeld(id)).toBe(true);
  const newcomer = board.submit({ isAnnounced: false, input: { prompt: "y".repeat(100_000) } });
  await expect(newcomer).rejects.toBeDefined();
  disk.empty();
  work.reload();
  expect(rows(board)).toMatchObject([{ id, status: "queued" }]);
  work.claim(id, { runner, loadMs: 0 });
  expect(work.finish(id, big)).toBe(true);
  await database.committed();
  expect(statuses(board)).toEqual(["done"]);
  // The first one after a loss is written at once.
  await held(board);
  await database.committed();
  const after = await held(board);
  expect(board.ledger.store.isHeld(after.id)).toBe(true);
});

test("what a held job sets aside counts at once, is written with its beginning and is gone with its end", async () => {
  const board = createAccountBoard({ model: pricedModel() });
  const { keyOf, submit, accounts, clock, work, runner, left, database } = board;
  const key = keyOf({ budgets: ["2 requests/day"] });
  const account = { kind: "key" as const, id: key };
  const written = () => database.sqlite.query("SELECT count(*) FROM reservation").values()[0]?.[0];
  const [first, second] = [await submit({ key, isAnnounced: false }), await submit({ key, isAnnounced: false })];
  expect([left(account), written()]).toEqual([["0 requests"], 0]);
  await expect(submit({ key, isAnnounced: false })).rejects.toMatchObject({ code: "budget_exhausted" });
  // Limits that change make memory read everything again.
  accounts.store.setLimits({ kind: "team", id: "other" }, {});
  expect(left(account)).toEqual(["0 requests"]);
  work.claim(first.id, { runner, loadMs: 0 });
  work.fail(first.id, { code: "runner_failed", message: "no" });
  expect([left(account), written()]).toEqual([["1000000 requests"], 0]);
  clock.advance(2 * HELD_MS);
  expect([left(account), written()]).toEqual([["1000000 requests"], 1]);
  board.jobs.cancel(second.id);
  expect([left(account), written()]).toEqual([["2000000 requests"], 0]);
});

// Jobs that are not durable go the same way as all others, but for the database.
import { expect, test } from "bun:test";
import { createJobBoard, eventsOf } from "../../support/job-board.ts";

const never = () => new AbortController().signal;
const result = { output: { prompt: "hello", steps: 1 }, units: { requests: 1 }, device: "cpu" };
const rows = ({ database }: ReturnType<typeof createJobBoard>) =>
  database.sqlite.query("SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM job_log)").values()[0]?.[0];

test("a passing job is told in order and leaves nothing behind", async () => {
  const board = createJobBoard();
  const { submit, jobs, work, runner } = board;
  const { id } = await submit({ durable: false });
  expect(jobs.find(id)).toMatchObject({ status: "queued" });
  expect(jobs.open().map((job) => job.id)).toEqual([id]);
  const seen = eventsOf(jobs.watch(id, never()));
  expect(work.claim(id, { runner, loadMs: 0 })).toMatchObject({ status: "running", attempts: 1 });
  expect(work.claim(id, { runner, loadMs: 0 })).toBeUndefined();
  work.log(id, "one");
  work.partial(id, { value: "hel" });
  expect(work.finish(id, result)).toBe(true);
  expect(work.finish(id, result)).toBe(false);
  const events = await seen;
  expect(events.map(({ type }) => type)).toEqual(["queued", "started", "log", "partial", "finished"]);
  expect(events.at(-1)).toMatchObject({ job: { status: "done", ...result } });
  expect(jobs.find(id)).toBeUndefined();
  expect(rows(board)).toBe(0);
});

test("a passing job's end can be asked for a while when nobody watched, and then no more", async () => {
  const { submit, jobs, work, runner, clock } = createJobBoard();
  const { id } = await submit({ durable: false });
  work.claim(id, { runner, loadMs: 0 });
  work.finish(id, result);
  clock.advance(9_999);
  expect(await eventsOf(jobs.watch(id, never()))).toMatchObject([{ type: "finished", job: { status: "done" } }]);
  clock.advance(1);
  expect(jobs.find(id)).toBeUndefined();
});

test("a passing job can be cancelled while it waits and while it runs", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const waiting = await submit({ durable: false });
  const running = await submit({ durable: false });
  const ends = [waiting, running].map(({ id }) => eventsOf(jobs.watch(id, never())));
  await Promise.resolve();
  work.claim(running.id, { runner, loadMs: 0 });
  expect([waiting, running].map(({ id }) => jobs.cancel(id))).toEqual(["requested", "requested"]);
  work.fail(running.id, { code: "client_cancelled", message: "cancelled" });
  for (const end of ends) expect((await end).at(-1)).toMatchObject({ job: { status: "cancelled" } });
});

test("a passing job counts in the queue's limits and in positions", async () => {
  const { submit, jobs } = createJobBoard({ maxQueue: 2 });
  await submit({ durable: false });
  const { id } = await submit();
  expect(jobs.position(id)).toBe(1);
  await expect(submit({ durable: false })).rejects.toMatchObject({ code: "queue_full" });
});

test("a passing job whose runner is killed waits again where retries are left, and the queue can be read anew", async () => {
  const board = createJobBoard({ retries: 1 });
  const { submit, jobs, work, runner } = board;
  const { id } = await submit({ durable: false });
  work.claim(id, { runner, loadMs: 0 });
  work.interrupt(id, { code: "runner_crashed", message: "gone", details: { signal: "SIGKILL" } });
  expect(jobs.find(id)).toMatchObject({ status: "queued", attempts: 1 });
  work.reload();
  expect(work.claim(id, { runner, loadMs: 0 })).toMatchObject({ status: "running" });
  expect(rows(board)).toBe(0);
});

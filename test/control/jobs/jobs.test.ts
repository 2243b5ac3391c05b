// Durable jobs: what callers of submit, watch and cancel can rely on.
import { expect, test } from "bun:test";
import { asId, type JobId, type KeyId } from "../../../src/core/ids.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { createJobBoard, echoEntry, eventsOf } from "../../support/job-board.ts";

const never = () => new AbortController().signal;
const result = { output: { prompt: "hello", steps: 1 }, units: { requests: 1 }, device: "cpu" };
const unknown = asId<JobId>("0199-none");

test("a submitted job is queued with its input checked and defaults filled in", async () => {
  const { submit, jobs } = createJobBoard();
  const job = await submit({ input: { prompt: "hi", colour: "dropped" }, key: asId<KeyId>("ada") });
  expect(job).toMatchObject({ status: "queued", model: "forecourt/echo", key: "ada", attempts: 0, retries: 3 });
  expect(job.input).toEqual({ prompt: "hi", steps: 1, step_ms: 0 });
  expect(jobs.find(job.id)).toEqual(job);
  const { id, model, status, priority, attempts, createdAt } = job;
  // Without what it was given: that of all which wait may be more than fits into memory.
  expect(jobs.open()).toEqual([{ id, model, status, priority, attempts, createdAt }]);
});

test("a job's whole way is told in order, with its timing", async () => {
  const { submit, jobs, work, runner, clock } = createJobBoard();
  const { id } = await submit();
  const events = eventsOf(jobs.watch(id, never()));
  clock.advance(100);
  work.claim(id, { runner, loadMs: 30 });
  work.log(id, "one");
  work.progress(id, { at: 1, of: 2 });
  work.partial(id, { value: "hel" });
  clock.advance(7);
  expect(work.finish(id, result)).toBe(true);
  const seen = await events;
  expect(seen.map(({ type }) => type)).toEqual(["queued", "started", "log", "progress", "partial", "finished"]);
  expect(seen[0]).toEqual({ type: "queued", position: 0 });
  expect(seen.at(-1)).toMatchObject({
    job: { status: "done", ...result, attempts: 1, timing: { queueMs: 70, loadMs: 30, runMs: 7 } },
  });
});

test("who watches later sees the log so far, and after the end the end", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  work.claim(id, { runner, loadMs: 0 });
  work.log(id, "one");
  work.partial(id, { value: "hel" });
  work.partial(id, { value: "lo" });
  work.progress(id, { at: 1, of: 2 });
  const during = eventsOf(jobs.watch(id, never()));
  work.finish(id, result);
  const types = (await during).map(({ type }) => type).join(" ");
  expect(types).toBe("started log partial partial progress finished");
  expect((await eventsOf(jobs.watch(id, never()))).map(({ type }) => type)).toEqual(["log", "finished"]);
});

test("of parts that say all before them who watches later sees the latest", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  work.claim(id, { runner, loadMs: 0 });
  for (const value of ["h", "hel", "hello"]) work.partial(id, { value, isWhole: true });
  const during = eventsOf(jobs.watch(id, never()));
  work.finish(id, result);
  expect((await during).filter(({ type }) => type === "partial")).toEqual([
    { type: "partial", value: "hello", isWhole: true },
  ]);
});

test("an end is told only when it is on disk", async () => {
  const { submit, jobs, work, runner, database } = createJobBoard();
  const { id } = await submit();
  work.claim(id, { runner, loadMs: 0 });
  work.finish(id, result);
  const told: string[] = [];
  const onDisk = database.committed().then(() => told.push("on disk"));
  const first = jobs
    .watch(id, never())
    .next()
    .then(() => told.push("end"));
  await Promise.all([onDisk, first]);
  expect(told).toEqual(["on disk", "end"]);
  expect(database.sqlite.inTransaction).toBe(false);
});

test("watching ends with its signal, and an unknown job cannot be watched", async () => {
  const { submit, jobs, ledger } = createJobBoard();
  const { id } = await submit();
  const abort = new AbortController();
  const events = eventsOf(jobs.watch(id, abort.signal));
  expect(ledger.watchers.has(id)).toBe(true);
  abort.abort();
  expect((await events).map(({ type }) => type)).toEqual(["queued"]);
  expect(ledger.watchers.has(id)).toBe(false);
  await expect(jobs.watch(unknown, never()).next()).rejects.toThrow(/There is no request/);
});

test("a slow watcher loses nothing", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  const watching = jobs.watch(id, never());
  await watching.next();
  work.claim(id, { runner, loadMs: 0 });
  for (let at = 1; at <= 500; at++) work.progress(id, { at, of: 500 });
  work.finish(id, result);
  const rest = await eventsOf(watching);
  expect(rest.filter(({ type }) => type === "progress")).toHaveLength(500);
  expect(rest.at(-1)?.type).toBe("finished");
});

test("watchers hear their new position when the queue moves, several moves in one message", async () => {
  const { submit, jobs, work, runner, clock } = createJobBoard();
  const first = await submit();
  const second = await submit();
  const third = await submit();
  const watching = jobs.watch(third.id, never());
  expect((await watching.next()).value).toEqual({ type: "queued", position: 2 });
  work.claim(first.id, { runner, loadMs: 0 });
  jobs.cancel(second.id);
  clock.advance(250);
  expect((await watching.next()).value).toEqual({ type: "queued", position: 0 });
  await watching.return(undefined);
});

test("wrong input is thrown at once, or stored as the job's failure, as the caller wishes", async () => {
  const { submit, jobs, work } = createJobBoard();
  const input = { prompt: 5 };
  await expect(submit({ input })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "prompt"] }],
  });
  const job = await submit({ input, rejectInvalid: false });
  expect(job).toMatchObject({
    status: "failed",
    failure: { code: "invalid_input", problems: [{ type: "string_type" }] },
  });
  expect(jobs.find(job.id)).toEqual(job);
  expect(work.waiting.models()).toEqual([]);
});

test("a full queue refuses: the caller's limit, the model's, the box's", async () => {
  const { submit } = createJobBoard({ maxQueue: 3 });
  await submit();
  await expect(submit({ maxQueue: 1 })).rejects.toMatchObject({ code: "queue_full" });
  await submit({ maxQueue: 2 });
  const small = { ...echoEntry.model, limits: { ...echoEntry.model.limits, maxQueue: 2 } };
  await expect(submit({ model: small })).rejects.toThrow(/2 requests already wait for forecourt\/echo, and 2 may/);
  await submit();
  await expect(submit()).rejects.toThrow(/3 requests already wait on this box, and 3 may/);
});

test("a queued job that is cancelled ends at once", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  expect(jobs.cancel(id)).toBe("requested");
  expect(jobs.find(id)?.status).toBe("cancelled");
  expect(jobs.cancel(id)).toBe("finished");
  expect(jobs.cancel(unknown)).toBe("unknown");
  expect(work.claim(id, { runner, loadMs: 0 })).toBeUndefined();
});

test("a running job that is cancelled is asked to end, and whatever ends it counts as the cancel", async () => {
  for (const end of ["client_cancelled", "runner_crashed"] as const) {
    const { submit, jobs, work, runner } = createJobBoard();
    const { id } = await submit();
    const asked: unknown[] = [];
    work.subscribe((note) => asked.push(note));
    work.claim(id, { runner, loadMs: 0 });
    expect(jobs.cancel(id)).toBe("requested");
    expect(asked).toEqual([{ type: "cancel", id }]);
    expect(jobs.find(id)?.status).toBe("running");
    const failure = { code: end, message: "over" };
    if (end === "runner_crashed") work.interrupt(id, failure);
    else work.fail(id, failure);
    expect(jobs.find(id)?.status).toBe("cancelled");
  }
});

test("a running job that was done before the cancel reached it is done", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  work.claim(id, { runner, loadMs: 0 });
  jobs.cancel(id);
  expect(work.finish(id, result)).toBe(true);
  expect(jobs.find(id)?.status).toBe("done");
});

test("nothing ends twice, and no second runner gets a claimed job", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  expect(work.claim(id, { runner, loadMs: 0 })).toMatchObject({ attempts: 1, status: "running" });
  expect(work.claim(id, { runner, loadMs: 0 })).toBeUndefined();
  expect(work.finish(id, result)).toBe(true);
  expect(work.finish(id, { ...result, output: "again" })).toBe(false);
  expect(work.fail(id, { code: "internal", message: "late" })).toBe(false);
  expect(work.refuse(id, { code: "internal", message: "late" })).toBe(false);
  expect(jobs.find(id)).toMatchObject({ status: "done", output: result.output });
});

test("an output that names a file which is not there fails the job", async () => {
  const { submit, jobs, work, runner, savedFiles } = createJobBoard();
  const output = { images: [{ url: "forecourt-file:a.png" }] };
  const lacking = await submit();
  work.claim(lacking.id, { runner, loadMs: 0 });
  work.finish(lacking.id, { ...result, output });
  expect(jobs.find(lacking.id)).toMatchObject({
    status: "failed",
    failure: { message: expect.stringContaining("a.png") },
  });
  savedFiles.add("a.png");
  const complete = await submit();
  work.claim(complete.id, { runner, loadMs: 0 });
  work.finish(complete.id, { ...result, output });
  expect(jobs.find(complete.id)).toMatchObject({ status: "done", output });
});

test("after a kill of its runner a job waits again at its old place, and says so in its log", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const first = await submit();
  const second = await submit();
  work.claim(first.id, { runner, loadMs: 0 });
  work.interrupt(first.id, { code: "runner_crashed", message: "Killed.", details: { signal: "SIGKILL" } });
  expect(jobs.find(first.id)).toMatchObject({ status: "queued", attempts: 1 });
  expect(jobs.position(first.id)).toBe(0);
  expect(jobs.position(second.id)).toBe(1);
  expect(jobs.logs(first.id).map(({ message }) => message)).toEqual(["Attempt 1 was cut short: Killed. Trying again."]);
});

test("after as many kills as it has retries a job fails with the reason", async () => {
  const { submit, jobs, work, runner } = createJobBoard({ retries: 2 });
  const { id } = await submit();
  const kill = { code: "runner_crashed" as const, message: "Killed.", details: { signal: "SIGKILL" } };
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(work.claim(id, { runner, loadMs: 0 })?.attempts).toBe(attempt);
    work.interrupt(id, kill);
  }
  expect(jobs.find(id)).toMatchObject({ status: "failed", failure: { code: "runner_crashed" }, attempts: 3 });
});

test("an orderly stop puts a job back without counting against it", async () => {
  const { submit, jobs, work, runner } = createJobBoard({ retries: 0 });
  const { id } = await submit({ retry: false });
  work.claim(id, { runner, loadMs: 0 });
  work.interrupt(id);
  expect(jobs.find(id)).toMatchObject({ status: "queued", retries: 0 });
});

test("the log of a job is bounded in lines and length", async () => {
  const { submit, jobs, work, runner } = createJobBoard();
  const { id } = await submit();
  work.claim(id, { runner, loadMs: 0 });
  for (let line = 0; line < 500; line++) work.log(id, "x".repeat(10_000));
  const lines = jobs.logs(id);
  expect(lines).toHaveLength(201);
  expect(lines.at(-1)?.message).toBe("Further lines are left out.");
  expect(lines[0]?.message).toMatch(/^x{2000}\.\.\. \(10000 characters\)$/);
});

test("low priority waits behind normal, and a start deadline is kept with the job", async () => {
  const { submit, jobs, clock } = createJobBoard();
  const low = await submit({ priority: "low" });
  const normal = await submit({ startTimeout: milliseconds(5000) });
  expect(jobs.position(low.id)).toBe(1);
  expect(jobs.position(normal.id)).toBe(0);
  expect(normal).toMatchObject({ startBy: clock.now() + 5000 });
});

test("a clock that is set, by a time server or by hand, makes no waiting job older, younger or late", async () => {
  for (const set of [-86_400_000, 365 * 86_400_000]) {
    const { submit, jobs, work, runner, ledger, clock } = createJobBoard();
    const first = await submit({ startTimeout: milliseconds(60_000) });
    clock.advance(1_000);
    clock.jump(set);
    const second = await submit({ startTimeout: milliseconds(60_000) });
    clock.advance(1_000);
    expect(jobs.queue().oldestMs).toBe(2_000);
    expect(work.waiting.overdue(ledger.even.now())).toEqual([]);
    expect(work.waiting.heads(first.model, 2).map(({ id }) => id)).toEqual([first.id, second.id]);
    for (const { id } of [first, second]) {
      work.claim(id, { runner, loadMs: 0 });
      work.finish(id, result);
    }
    const timings = [first, second].map(({ id }) => jobs.find(id)).map((job) => job?.status === "done" && job.timing);
    expect(timings).toMatchObject([{ queueMs: 2_000 }, { queueMs: 1_000 }]);
  }
});

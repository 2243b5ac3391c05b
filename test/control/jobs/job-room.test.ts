// The room of a key's jobs: what they took, gave and made is counted once, and comes back whichever way it goes.
import { describe, expect, test } from "bun:test";
import { createExpiry } from "../../../src/control/jobs/expiry.ts";
import { createJobHistory } from "../../../src/control/jobs/history.ts";
import { createHistoryStore } from "../../../src/control/jobs/history-store.ts";
import type { Submission } from "../../../src/control/jobs/submission.ts";
import { OPEN } from "../../../src/control/storage/acl.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { silentLog } from "../../../src/core/log.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { createJobBoard } from "../../support/job-board.ts";

const DAY = 24 * 60 * 60 * 1000;
const KIB = 1024;
const RETENTION = milliseconds(30 * DAY);

function stage(room = Number.POSITIVE_INFINITY) {
  const board = createJobBoard({ room: bytes(room), retention: RETENTION });
  const { ledger, database, clock, jobs } = board;
  const expiry = createExpiry({
    ...{ ledger, forgetFiles: () => {}, retention: RETENTION, clock, timers: clock, log: silentLog },
  });
  const history = createJobHistory({
    ...{
      store: createHistoryStore(database),
      writes: database,
      room: ledger.room,
      findJob: jobs.find,
      forgetFiles: () => {},
      clock,
    },
  });
  const done = async (change: Partial<Submission> = {}, output: unknown = "x".repeat(10 * KIB)) => {
    const job = await board.submit(change);
    board.work.claim(job.id, { runner: board.runner, loadMs: 0 });
    board.work.finish(job.id, { output, units: { requests: 1 }, device: "cpu" });
    return job;
  };
  const numbers = (sql: string) => database.sqlite.query(sql).values().flat();
  const taken = () => numbers("SELECT bytes FROM room WHERE part = 'jobs' AND key = 'key'")[0] ?? 0;
  const held = () => numbers("SELECT coalesce(sum(held), 0) FROM job WHERE key = 'key'")[0];
  const inTexts = () =>
    Number(
      numbers(
        "SELECT coalesce(sum(octet_length(input) + coalesce(octet_length(output), 0)), 0) FROM job WHERE key = 'key'",
      )[0],
    );
  return { ...board, expiry, history, done, taken, held, inTexts };
}

const large = { input: { prompt: "ü".repeat(100 * KIB) } };

describe("what jobs take up", () => {
  test("is their input, output and files, however they were begun and ended", async () => {
    const { done, submit, jobs, work, runner, taken, held, inTexts, setFileBytes } = stage();
    await done();
    await done(large);
    await done({ isAnnounced: false });
    await done({ ...large, isAnnounced: false });
    await submit({ input: { prompt: "wrong", steps: "wrong" }, rejectInvalid: false });
    const failed = await submit(large);
    work.claim(failed.id, { runner, loadMs: 0 });
    work.fail(failed.id, { code: "invalid_input", message: "no" });
    jobs.cancel((await submit()).id);
    expect(taken()).toBe(inTexts());
    setFileBytes(5_000_000);
    await done();
    expect(taken()).toBe(inTexts() + 5_000_000);
    expect(held()).toBe(taken() as number);
    expect(Number(taken())).toBeGreaterThan(5_600_000);
  });

  test("is what waits too, where that is large, and counts once", async () => {
    const { submit, work, runner, taken, inTexts } = stage();
    await submit();
    const small = inTexts();
    expect(taken()).toBe(0);
    const job = await submit(large);
    expect(Number(taken())).toBeGreaterThan(200 * KIB);
    work.claim(job.id, { runner, loadMs: 0 });
    work.interrupt(job.id);
    work.claim(job.id, { runner, loadMs: 0 });
    work.finish(job.id, { output: "done", units: { requests: 1 }, device: "cpu" });
    expect(taken()).toBe(inTexts() - small);
  });

  test("is nothing of what is not kept beyond its caller", async () => {
    const { done, taken } = stage();
    await done({ durable: false, ...large });
    expect(taken()).toBe(0);
  });

  test("comes back when payloads are forgotten, files are over, a request is deleted, and all of it at the end", async () => {
    const { done, expiry, history, clock, taken, held, setFileBytes, database } = stage();
    setFileBytes(1_000);
    const secret = await done({ keepsPayload: false });
    const short = await done({ lifecycle: { acl: OPEN, keepFor: milliseconds(1_000) } });
    const usual = await done();
    const all = Number(taken());
    clock.advance(1_000);
    await expiry.sweepParts();
    expect(taken()).toBe(all - 1_000);
    clock.advance(60 * 60 * 1000);
    await expiry.sweepParts();
    const sizeOf = (id: string) =>
      Number(database.sqlite.query("SELECT held FROM job WHERE id = ?").values(id)[0]?.[0]);
    expect(sizeOf(secret.id)).toBe(1_000);
    const left = sizeOf(usual.id);
    await history.erase(usual.id);
    expect(sizeOf(usual.id)).toBe(0);
    await history.erase(usual.id);
    expect(taken()).toBe(all - 1_000 - left - (left - 1_000));
    expect(held()).toBe(taken() as number);
    expect(sizeOf(short.id)).toBe(left - 1_000);
    clock.advance(31 * DAY);
    expect(await expiry.sweep()).toBe(3);
    expect(taken()).toBe(0);
  });

  test("of jobs that an earlier version ended is never below nothing", async () => {
    const { done, expiry, history, clock, database, taken } = stage();
    const [old] = [await done(), await done()];
    database.sqlite.run("UPDATE job SET held = 0");
    database.sqlite.run("UPDATE room SET bytes = 0");
    await history.erase(old.id);
    expect(taken()).toBe(0);
    clock.advance(31 * DAY);
    await expiry.sweep();
    expect(taken()).toBe(0);
  });
});

test("a key whose room is full hears what fills it and when some comes back; others go on, and so does it then", async () => {
  const { done, submit, expiry, clock } = stage(15 * KIB);
  await done();
  await done();
  const refused = await submit().catch((error) => error);
  const freeAt = new Date(clock.now() + RETENTION).toISOString();
  expect(refused.message).toContain("(jobs.room_mb)");
  expect(refused.message).toContain(`the oldest on ${freeAt}`);
  expect(refused).toMatchObject({ code: "room_full", details: { limit: 15 * KIB } });
  await expect(submit({ durable: false })).resolves.toMatchObject({ status: "queued" });
  await submit({ key: asId<KeyId>("another") });
  clock.advance(30 * DAY + 1);
  await expiry.sweep();
  expect(await submit()).toMatchObject({ status: "queued" });
});

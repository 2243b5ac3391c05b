// Old jobs go with their files, young and unfinished ones stay.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createExpiry } from "../../../src/control/jobs/expiry.ts";
import { OPEN } from "../../../src/control/storage/acl.ts";
import { createUploads } from "../../../src/control/storage/uploads.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { createLog, silentLog } from "../../../src/core/log.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { createStores } from "../../support/file-stores.ts";
import { createJobBoard } from "../../support/job-board.ts";
import { until } from "../../support/until.ts";

const HOUR = 60 * 60 * 1000;
/** One for old jobs, one for what ends before its job. */
const TIMERS = 2;
const DAY = 24 * 60 * 60 * 1000;
const result = { output: "done", units: { requests: 1 }, device: "cpu" };

const folder = mkdtempSync(join(tmpdir(), "forecourt-expiry-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

type Options = { log?: typeof silentLog; forgetFiles?: (token: string) => void; shrink?: () => boolean };

function stage(options: Options = {}) {
  const board = createJobBoard();
  const removed: string[] = [];
  const data = join(folder, String(++count));
  const { store, removals } = createStores({ data, database: board.database });
  const uploads = createUploads({
    root: data,
    fileStore: store,
    ...{ removals, database: board.database },
    clock: board.clock,
    maxBytes: bytes(1000),
  });
  const expiry = createExpiry({
    ledger: board.ledger,
    uploads,
    forgetFiles: (token) => options.forgetFiles?.(token) ?? void removed.push(token),
    ...(options.shrink && { shrink: options.shrink }),
    retention: milliseconds(30 * DAY),
    clock: board.clock,
    timers: board.clock,
    log: options.log ?? silentLog,
  });
  const done = async (change: Parameters<typeof board.submit>[0] = {}) => {
    const job = await board.submit(change);
    board.work.claim(job.id, { runner: board.runner, loadMs: 0 });
    board.work.log(job.id, "a line");
    board.work.finish(job.id, result);
    return job;
  };
  return { ...board, expiry, removed, done, uploads };
}

async function* content() {
  yield new Uint8Array(10);
}

test("a finished job is removed with its files and its log when its time is over", async () => {
  const { expiry, removed, done, submit, jobs, clock, database } = stage();
  const old = await done();
  const waiting = await submit();
  clock.advance(29 * DAY);
  const young = await done();
  clock.advance(1 * DAY);
  expect(await expiry.sweep()).toBe(0);
  clock.advance(1);
  expect(await expiry.sweep()).toBe(1);
  expect(removed).toEqual([old.files]);
  expect(jobs.find(old.id)).toBeUndefined();
  expect([young, waiting].map(({ id }) => jobs.find(id)?.status)).toEqual(["done", "queued"]);
  expect(database.sqlite.query("SELECT count(*) FROM job_log WHERE job = ?").values(old.id)).toEqual([[0]]);
});

test("a payload that was not to be kept is gone after an hour, from the answers and from the database", async () => {
  const { expiry, done, jobs, clock, database } = stage();
  const secret = await done({ keepsPayload: false });
  const usual = await done();
  clock.advance(HOUR - 1);
  expect(jobs.find(secret.id)).toMatchObject({ status: "done", output: "done", input: { prompt: "hello" } });
  expect(await expiry.sweepParts()).toBe(0);
  clock.advance(1);
  expect(jobs.find(secret.id)).toMatchObject({ status: "done", output: null, input: {}, isForgotten: true });
  expect(await expiry.sweepParts()).toBe(1);
  expect(await expiry.sweepParts()).toBe(0);
  expect(database.sqlite.query("SELECT input, output FROM job WHERE id = ?").values(secret.id)).toEqual([["{}", null]]);
  expect(jobs.find(secret.id)).toMatchObject({ isForgotten: true });
  expect(jobs.find(usual.id)).toMatchObject({ output: "done" });
});

test("of a failed request without a kept payload remains why it failed, not what it said", async () => {
  const { expiry, submit, jobs, clock, database } = stage();
  const wrong = await submit({
    input: { prompt: "secret", steps: "secret" },
    rejectInvalid: false,
    keepsPayload: false,
  });
  expect(JSON.stringify(jobs.find(wrong.id))).toContain("secret");
  clock.advance(HOUR);
  await expiry.sweepParts();
  expect(jobs.find(wrong.id)).toMatchObject({ status: "failed", failure: { code: "invalid_input" } });
  expect(JSON.stringify(database.sqlite.query("SELECT * FROM job").all())).not.toContain("secret");
});

test("output files with a lifetime of their own end before their job, and are hidden the moment it is over", async () => {
  const { expiry, removed, done, jobs, clock } = stage();
  const lifecycle = { acl: OPEN, keepFor: milliseconds(60_000) };
  const short = await done({ lifecycle });
  await done();
  expect(jobs.fileRules(short.files)).toMatchObject({ secondsLeft: 60 });
  clock.advance(60_000);
  expect(jobs.fileRules(short.files)?.decide(undefined)).toBe("hide");
  expect(await expiry.sweepParts()).toBe(1);
  expect(removed).toEqual([short.files]);
  expect(jobs.find(short.id)?.status).toBe("done");
});

test("many are removed in one sweep, with other work in between", async () => {
  const { expiry, removed, done, clock } = stage();
  for (let count = 0; count < 450; count++) await done();
  clock.advance(31 * DAY);
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  expect(await expiry.sweep()).toBe(450);
  clearInterval(counting);
  expect(removed).toHaveLength(450);
});

test("it sweeps at the start and every hour until it is stopped", async () => {
  const { expiry, done, jobs, clock } = stage();
  const job = await done();
  clock.advance(1_000); // what the job itself had planned is over
  expiry.start();
  await until(() => clock.pending() === TIMERS);
  clock.advance(30 * DAY);
  await until(() => clock.pending() === TIMERS);
  clock.advance(60 * 60 * 1000);
  await until(() => jobs.find(job.id) === undefined);
  await until(() => clock.pending() === TIMERS);
  expiry.stop();
  expect(clock.pending()).toBe(0);
});

test("an upload that was to be kept for half a minute lies on the disk no hour longer", async () => {
  const { expiry, clock, database, uploads } = stage();
  const lifecycle = { acl: OPEN, keepFor: milliseconds(30_000) };
  const common = { key: asId<KeyId>("owner"), name: "a.bin", contentType: "application/zip" };
  const [short, long] = [await uploads.begin({ ...common, lifecycle }), await uploads.begin(common)];
  for (const { secret } of [short, long]) await uploads.write(secret, content());
  expiry.start();
  await until(() => clock.pending() === TIMERS);
  const kept = () => database.sqlite.query("SELECT token FROM upload").values().flat();
  expect(kept().toSorted()).toEqual([short.token, long.token].toSorted());
  clock.advance(60_000);
  await until(() => kept().length === 1);
  expect(kept()).toEqual([long.token]);
  await until(() => clock.pending() === TIMERS);
  expiry.stop();
});

test("after a sweep the database gives back its room, step by step in transactions of their own", async () => {
  let isInTransaction = true;
  let steps = 3;
  const { expiry, database } = stage({
    shrink() {
      isInTransaction &&= database.sqlite.inTransaction;
      return --steps > 0;
    },
  });
  expiry.start();
  await until(() => steps === 0);
  expiry.stop();
  expect(isInTransaction).toBe(true);
});

test("a job whose files cannot be written down as over stays with them, which is logged, and the server lives on", async () => {
  const lines: string[] = [];
  let isBroken = true;
  const { expiry, removed, done, jobs, clock } = stage({
    log: createLog({ level: "error", format: "json", write: (line) => lines.push(line) }),
    forgetFiles() {
      if (isBroken) throw new Error("database or disk is full");
    },
  });
  const job = await done();
  clock.advance(31 * DAY);
  expiry.start();
  await until(() => lines.length === 1);
  expect(lines[0]).toContain("database or disk is full");
  expect(jobs.find(job.id)).toBeDefined();
  isBroken = false;
  await until(() => clock.pending() === TIMERS);
  clock.advance(60 * 60 * 1000);
  await until(() => jobs.find(job.id) === undefined);
  expect(removed).toEqual([job.files]);
  expiry.stop();
});

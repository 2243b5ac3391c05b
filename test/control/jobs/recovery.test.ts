// What becomes of jobs when the server dies: a few cases by hand, then random schedules of work and power cuts.
import { afterAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../../src/control/database/open.ts";
import type { JobId } from "../../../src/core/ids.ts";
import { isFinished, type Job } from "../../../src/core/job.ts";
import { createJobBoard } from "../../support/job-board.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-recovery-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const newFile = () => {
  const home = join(folder, String(count++));
  mkdirSync(home);
  return join(home, "jobs.sqlite");
};

type Board = ReturnType<typeof createJobBoard>;
/** Without waiting for the disk: the cuts here are copies of what the operating system holds. */
const boardOn = (file: string, options: Parameters<typeof createJobBoard>[0] = {}): Board =>
  createJobBoard({ ...options, database: openDatabase({ file, synchronous: "normal" }) });

/** What a power cut leaves: the files as they are at this moment, in the middle of whatever goes on. */
function afterPowerCut(file: string): string {
  const copy = newFile();
  for (const end of ["", "-wal"]) if (existsSync(file + end)) cpSync(file + end, copy + end);
  return copy;
}

const result = { output: "done", units: { requests: 1 }, device: "cpu" };

test("what ran waits again at its old place, what waited waits, what ended stays", async () => {
  const file = newFile();
  const before = boardOn(file);
  const [done, ran, waited] = [await before.submit(), await before.submit(), await before.submit()];
  for (const { id } of [done, ran]) before.work.claim(id, { runner: before.runner, loadMs: 0 });
  before.work.finish(done.id, result);
  await before.database.committed();

  const { jobs, work } = boardOn(afterPowerCut(file));
  expect(work.recover()).toEqual({ requeued: 1, ended: 0, waiting: 2 });
  expect(jobs.find(done.id)).toMatchObject({ status: "done", output: "done" });
  expect(work.waiting.heads(ran.model, 9).map(({ id }) => id)).toEqual([ran.id, waited.id]);
  expect(jobs.find(ran.id)).toMatchObject({ status: "queued", attempts: 1 });
  before.database[Symbol.dispose]();
});

test("a job that was to be cancelled is cancelled, one without retries fails with the reason", async () => {
  const file = newFile();
  const before = boardOn(file);
  const cancelled = await before.submit();
  const once = await before.submit({ retry: false });
  for (const { id } of [cancelled, once]) before.work.claim(id, { runner: before.runner, loadMs: 0 });
  before.jobs.cancel(cancelled.id);
  await before.database.committed();

  const { jobs, work } = boardOn(afterPowerCut(file));
  expect(work.recover()).toEqual({ requeued: 0, ended: 2, waiting: 0 });
  expect(jobs.find(cancelled.id)?.status).toBe("cancelled");
  expect(jobs.find(once.id)).toMatchObject({ status: "failed", failure: { code: "unavailable" } });
  before.database[Symbol.dispose]();
});

test("a job whose model was removed fails with the reason", async () => {
  const file = newFile();
  const before = boardOn(file);
  const [own, alias] = [await before.submit(), await before.submit({ endpoint: "acme/alias" })];
  const { jobs, work } = boardOn(afterPowerCut(file), { modelAt: () => undefined });
  expect(work.recover().waiting).toBe(0);
  const why = (as: string) => `The model forecourt/echo was removed or renamed while this request${as} waited.`;
  const failed = (message: string) => ({ status: "failed", failure: { code: "not_found", message } });
  expect(jobs.find(own.id)).toMatchObject(failed(why("")));
  expect(jobs.find(alias.id)).toMatchObject(failed(why(" to acme/alias")));
  before.database[Symbol.dispose]();
});

test("after lost writes the queue is what the database says, and jobs in flight stay with their runner", async () => {
  const { submit, work, jobs, database, runner } = createJobBoard();
  const inFlight = await submit();
  const forgotten = await submit();
  work.claim(inFlight.id, { runner, loadMs: 0 });
  await database.committed();
  work.claim(forgotten.id, { runner, loadMs: 0 });
  database.sqlite.run("ROLLBACK");
  await new Promise(setImmediate);
  work.reload();
  expect(jobs.find(inFlight.id)?.status).toBe("running");
  expect(work.waiting.heads(forgotten.model, 9).map(({ id }) => id)).toEqual([forgotten.id]);
});

/** A small generator, so that a failing schedule can be run again. */
function randomFrom(seed: number) {
  let state = seed * 2_654_435_761 + 1;
  return (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * below);
  };
}

type Known = {
  /** Jobs whose submit was answered. */
  accepted: Set<JobId>;
  /** Ends that were told to a watcher, in full. */
  told: Map<JobId, Job>;
};

/** Hears of the job's end as a caller does. */
async function hear(board: Board, id: JobId, known: Known): Promise<void> {
  for await (const event of board.jobs.watch(id, new AbortController().signal)) {
    if (event.type !== "finished") continue;
    expect(known.told.has(id)).toBe(false);
    known.told.set(id, event.job);
  }
}

function step(board: Board, running: Set<JobId>, known: Known, random: (below: number) => number): void {
  const { work, jobs, runner } = board;
  const pick = () => [...running][random(running.size)];
  const settle = (act: (id: JobId) => void) => {
    const id = pick();
    if (id === undefined) return;
    act(id);
    running.delete(id);
  };
  switch (random(7)) {
    case 0:
    case 1:
      void board.submit({ retry: random(5) > 0 }).then((job) => {
        known.accepted.add(job.id);
        return hear(board, job.id, known);
      });
      return;
    case 2:
    case 3: {
      const [head] = work.waiting.models().flatMap((model) => work.waiting.heads(model, 1));
      if (!head) return;
      expect(known.told.has(head.id)).toBe(false);
      if (work.claim(head.id, { runner, loadMs: 0 })) running.add(head.id);
      return;
    }
    case 4:
      settle((id) => work.finish(id, { ...result, output: `${id} ${random(1e9)}` }));
      return;
    case 5: {
      const signal = random(2) === 0 ? "SIGKILL" : "SIGSEGV";
      settle((id) => work.interrupt(id, { code: "runner_crashed", message: "gone", details: { signal } }));
      return;
    }
    default: {
      const id = [...known.accepted][random(known.accepted.size)];
      if (id && random(3) === 0) jobs.cancel(id);
    }
  }
}

function expectNothingLost({ jobs }: Board, known: Known): void {
  for (const id of known.accepted) expect(jobs.find(id)).toBeDefined();
  for (const [id, job] of known.told) expect(jobs.find(id)).toEqual(job);
}

function runAll({ work, runner, jobs }: Board): void {
  for (let rounds = 0; jobs.open().length > 0; rounds++) {
    expect(rounds).toBeLessThan(10_000);
    for (const model of work.waiting.models())
      for (const { id } of work.waiting.heads(model, 1))
        if (work.claim(id, { runner, loadMs: 0 })) work.finish(id, result);
  }
}

/** What was known when the power went: what an abandoned board tells afterwards reaches nobody. */
const remembered = ({ accepted, told }: Known): Known => ({ accepted: new Set(accepted), told: new Map(told) });

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  "nothing is lost and nothing done twice (schedule %i)",
  async (seed) => {
    const random = randomFrom(seed + 1);
    let known: Known = { accepted: new Set(), told: new Map() };
    let file = newFile();
    let board = boardOn(file);
    const abandoned: Board[] = [];
    for (let life = 0; life < 5; life++) {
      const running = new Set<JobId>();
      for (let steps = 10 + random(40); steps > 0; steps--) {
        step(board, running, known, random);
        if (random(3) === 0) await new Promise(setImmediate);
        else await afterMicrotasks();
      }
      abandoned.push(board);
      known = remembered(known);
      file = afterPowerCut(file);
      board = boardOn(file);
      board.work.recover();
      expectNothingLost(board, known);
      expect(board.jobs.open().every(({ status }) => status === "queued")).toBe(true);
      for (const id of known.accepted) if (!known.told.has(id)) void hear(board, id, known);
    }
    runAll(board);
    await until(() => known.told.size === known.accepted.size);
    expectNothingLost(board, known);
    expect([...known.told.values()].every(isFinished)).toBe(true);
    for (const { database } of [...abandoned, board]) database[Symbol.dispose]();
  },
);

/** Lets whatever is told be heard, within the same turn of the event loop: nothing is committed meanwhile. */
async function afterMicrotasks(): Promise<void> {
  for (let task = 0; task < 20; task++) await Promise.resolve();
}

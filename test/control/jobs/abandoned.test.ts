// Jobs whose callers have gone while the database refused their ends: over a real one, whose file may not grow.
import { expect, test } from "bun:test";
import type { JobId } from "../../../src/core/ids.ts";
import { createAccountBoard, pricedModel } from "../../support/account-board.ts";

const result = { output: { prompt: "hello" }, units: { requests: 1 }, device: "cpu" };
const big = { ...result, output: { prompt: "x".repeat(100_000) } };
const HELD_MS = 250;

function stage() {
  const board = createAccountBoard({ model: pricedModel() });
  const { database, keyOf, clock } = board;
  const { sqlite } = database;
  const key = keyOf({ budgets: ["2 requests/day"] });
  const values = (sql: string) => sqlite.query(sql).values();
  const pages = () => values("PRAGMA page_count")[0]?.[0];
  return {
    ...board,
    key,
    begin: (durable = true) => board.submit({ key, isAnnounced: false, retry: false, durable }),
    /** What is held is written. */
    keep: () => clock.advance(2 * HELD_MS),
    /** Also for rows that would fit into pages that there are. */
    refuse: (table: string) =>
      sqlite.run(`CREATE TRIGGER refusal BEFORE ${table} BEGIN SELECT RAISE(ABORT, 'refused'); END`),
    /** What is written together with usage is lost as it is committed, as on a disk that is full by then. */
    refuseCommit() {
      sqlite.run("CREATE TABLE known (id PRIMARY KEY)");
      sqlite.run("CREATE TABLE doubt (id REFERENCES known DEFERRABLE INITIALLY DEFERRED)");
      sqlite.run("CREATE TRIGGER refusal BEFORE INSERT ON usage BEGIN INSERT INTO doubt VALUES (1); END");
    },
    allow: () => sqlite.run("DROP TRIGGER refusal"),
    fill: () => sqlite.run(`PRAGMA max_page_count = ${pages()}`),
    empty: () => sqlite.run("PRAGMA max_page_count = 1000000"),
    isAbandoned: (id: JobId) => board.ledger.abandoned.has({ id, cancelRequested: false }),
    left: () => board.left({ kind: "key", id: key }),
    usage: () => values("SELECT outcome, cost FROM usage ORDER BY seq"),
    reservations: () => values("SELECT count(*) FROM reservation")[0]?.[0],
  };
}
type Stage = ReturnType<typeof stage>;

/** Begun, run, and refused at its end; then what its caller heard. */
async function refused(on: Stage, { isKept = false, durable = true, what = big } = {}) {
  const { id } = await on.begin(durable);
  on.work.claim(id, { runner: on.runner, loadMs: 0 });
  if (isKept) on.keep();
  const leaving = new AbortController();
  const heard = on.jobs.untilEnd(id, leaving.signal).catch((error) => error);
  if (durable) on.fill();
  else on.refuse("INSERT ON usage");
  expect(() => on.work.finish(id, what)).toThrow();
  leaving.abort();
  return { id, heard: await heard };
}

for (const isKept of [false, true])
  test(`a ${isKept ? "written" : "held"} job whose end was refused is cancelled when there is room, for nothing`, async () => {
    const on = stage();
    const { id, heard } = await refused(on, { isKept });
    expect(heard).toMatchObject({ code: "unavailable", message: expect.stringContaining("disk of this box is full") });
    expect(on.left()).toEqual(["1000000 requests"]);
    on.empty();
    on.work.reload();
    await on.database.committed();
    expect(on.jobs.find(id)?.status).toBe("cancelled");
    expect(on.work.waiting.size).toBe(0);
    expect([on.usage(), on.reservations(), on.left()]).toEqual([[["cancelled", 0]], 0, ["2000000 requests"]]);
    expect(on.isAbandoned(id)).toBe(false);
  });

test("the end of a job that lives in memory alone is refused with what it comes to, and is none then", async () => {
  const on = stage();
  const { id, heard } = await refused(on, { durable: false });
  expect(heard).toMatchObject({ code: "unavailable", message: expect.stringContaining("its database refused it") });
  on.allow();
  on.work.reload();
  await on.database.committed();
  expect(on.jobs.find(id)?.status).toBe("cancelled");
  expect([on.usage(), on.reservations(), on.left()]).toEqual([[["cancelled", 0]], 0, ["2000000 requests"]]);
});

test("what a job in memory alone set aside is free again, where its end was told and then lost", async () => {
  const on = stage();
  const { id } = await on.begin(false);
  on.work.claim(id, { runner: on.runner, loadMs: 0 });
  const heard = on.jobs.untilEnd(id, new AbortController().signal);
  await on.database.committed();
  on.refuseCommit();
  on.work.finish(id, result);
  expect((await heard)?.status).toBe("done");
  await expect(on.database.committed()).rejects.toMatchObject({ code: "unavailable" });
  expect(on.reservations()).toBe(1);
  on.allow();
  on.work.reload();
  await on.database.committed();
  expect([on.usage(), on.reservations(), on.left()]).toEqual([[], 0, ["2000000 requests"]]);
});

test("nobody who leaves hears of a refusal: the job is called off, and ends when there is room", async () => {
  const on = stage();
  const notes: unknown[] = [];
  on.ledger.subscribe((note) => notes.push(note));
  const [running, waiting] = [await on.begin(), await on.begin()];
  on.work.claim(running.id, { runner: on.runner, loadMs: 0 });
  on.keep();
  on.refuse("UPDATE ON job");
  expect(() => on.jobs.cancel(running.id)).toThrow("refused");
  for (const { id } of [running, waiting]) on.jobs.abandon(id);
  expect(notes).toContainEqual({ type: "cancel", id: running.id });
  expect(on.work.waiting.size).toBe(0);
  expect(() => on.work.fail(running.id, { code: "client_cancelled", message: "cancelled" })).toThrow("refused");
  expect(() => on.work.reload()).toThrow("refused");
  on.allow();
  on.work.reload();
  await on.database.committed();
  expect([running, waiting].map(({ id }) => on.jobs.find(id)?.status)).toEqual(["cancelled", "cancelled"]);
  expect([on.reservations(), on.left()]).toEqual([0, ["2000000 requests"]]);
  expect([running, waiting].map(({ id }) => on.isAbandoned(id))).toEqual([false, false]);
});

test("a job that was to be cancelled as its end was refused is not run again", async () => {
  const on = stage();
  const { id } = await on.begin();
  on.work.claim(id, { runner: on.runner, loadMs: 0 });
  expect(on.jobs.cancel(id)).toBe("requested");
  await on.database.committed();
  on.fill();
  expect(() => on.work.finish(id, big)).toThrow();
  on.empty();
  on.work.reload();
  expect(on.jobs.find(id)?.status).toBe("cancelled");
});

test("a job that had ended when its caller left is not kept in mind", async () => {
  const on = stage();
  const { id } = await on.begin();
  on.work.claim(id, { runner: on.runner, loadMs: 0 });
  on.work.finish(id, result);
  await on.database.committed();
  on.jobs.abandon(id);
  expect(on.isAbandoned(id)).toBe(false);
  expect(on.jobs.find(id)?.status).toBe("done");
});

test("a result that the disk refuses again and again is not made for ever: the job fails, for nothing", async () => {
  const on = stage();
  const { id } = await on.submit({ key: on.key });
  let attempts = 0;
  for (; on.work.waiting.size > 0; attempts++) {
    on.work.claim(id, { runner: on.runner, loadMs: 0 });
    await on.database.committed();
    on.fill();
    expect(() => on.work.finish(id, big)).toThrow();
    on.empty();
    on.work.reload();
    await on.database.committed();
  }
  expect(attempts).toBe(11);
  expect(on.jobs.find(id)).toMatchObject({
    status: "failed",
    failure: { code: "unavailable", message: expect.stringContaining("could not be written 11 times") },
  });
  expect([on.usage(), on.reservations(), on.left()]).toEqual([[["failed", 0]], 0, ["2000000 requests"]]);
});

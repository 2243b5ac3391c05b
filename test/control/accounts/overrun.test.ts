// Budgets cannot overrun: 1000 random schedules of clients, ends, failures and kills, and the books are right after each.
import { expect, test } from "bun:test";
import type { Account } from "../../../src/control/accounts/account.ts";
import { windowAt } from "../../../src/control/accounts/windows.ts";
import { openDatabase } from "../../../src/control/database/open.ts";
import type { Job } from "../../../src/core/job.ts";
import { createAccountBoard, pricedModel } from "../../support/account-board.ts";
import { createTestClock } from "../../support/test-clock.ts";

const SCHEDULES = Number(process.env.OVERRUN_SCHEDULES ?? 1000);
const CLIENTS = 50;

/** The same numbers for the same seed (Lehmer's generator with MINSTD's constants). */
function randomFrom(seed: number) {
  let state = (seed * 2_654_435_761 + 1) % 2_147_483_647 || 1;
  return (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

type Board = ReturnType<typeof createAccountBoard>;

/** A process that died: what its transaction held is gone, another one reads what is there. */
function kill({ database, clock, model }: Board): Board {
  if (database.sqlite.inTransaction) database.sqlite.run("ROLLBACK");
  try {
    database.flush(); // tells those who wait that their writes are lost
  } catch (error) {
    expect(error).toMatchObject({ code: "unavailable" });
  }
  // Its timers died with it.
  const board = createAccountBoard({ database, clock: createTestClock(clock.now()), model });
  board.work.recover();
  return board;
}

/** What may become of an open job. */
function goOn(
  { work, jobs, runner }: Board,
  { id, status }: Pick<Job, "id" | "status">,
  random: (below: number) => number,
): void {
  const isRunning = status === "running" || (random(5) > 0 && work.claim(id, { runner, loadMs: 0 }) !== undefined);
  const done = { output: {}, units: { requests: 1, tokens: random(40) }, device: "cpu" };
  const crash = { code: "runner_crashed" as const, message: "gone", details: { signal: "SIGKILL" } };
  const fates = isRunning
    ? [
        () => work.finish(id, done),
        () => work.finish(id, done),
        () => work.fail(id, { code: "runner_failed", message: "no" }),
        () => work.interrupt(id, crash),
        () => void jobs.cancel(id),
        () => {},
      ]
    : [() => void jobs.cancel(id), () => void work.refuse(id, { code: "start_timeout", message: "late" }), () => {}];
  fates[random(fates.length)]?.();
}

function budgetsOf(random: (below: number) => number): string[] {
  const kinds = [
    () => `${1 + random(20)} requests/${["hour", "day", "month"][random(3)]}`,
    () => `0.${String(2 + random(40)).padStart(2, "0")} USD/${["hour", "day"][random(2)]}`,
    () => `${1 + random(30)} tokens/day`,
  ];
  return Array.from({ length: 1 + random(2) }, () => kinds[random(kinds.length)]?.() ?? "");
}

/** What the database says was spent and is set aside, read without any of the code under test. */
function booked(
  { database }: Board,
  { kind, id }: Account,
  { unit, start, end }: { unit: string; start: number; end: number },
) {
  const sum = (table: string, at: string, amount: string) =>
    database.sqlite
      .query<{ sum: number | null }, [string, number, number]>(
        `SELECT sum(${amount}) AS sum FROM ${table} WHERE ${kind} = ? AND ${at} >= ? AND ${at} < ?`,
      )
      .get(id, start, end)?.sum ?? 0;
  const spent = unit === "USD" ? "cost" : `json_extract(units, '$.${unit}')`;
  return {
    spent: sum("usage", "admitted_at", spent),
    reserved: sum("reservation", "at", `json_extract(amounts, '$.${unit}')`),
  };
}

/** What is set aside for jobs that are held is in memory alone; once they are written, the books say the same as memory. */
function checkBooks(board: Board, accounts: Account[], seed: number): void {
  for (const account of accounts)
    for (const { text, amount, spent, reserved } of board.accounts.stateOf(account).budgets)
      if (spent + reserved > amount) throw new Error(`schedule ${seed}, ${text}: overrun, ${spent} + ${reserved}`);
  board.database.write(board.ledger.store.keepAll);
  for (const account of accounts)
    for (const { unit, window, text, amount, resetsAt, ...told } of board.accounts.stateOf(account).budgets) {
      const { start, end } = windowAt(resetsAt - 1, window);
      const { spent, reserved } = booked(board, account, { unit, start, end });
      const where = `schedule ${seed}, ${account.kind}, ${text}`;
      expect({ where, spent, reserved }).toEqual({ where, spent: told.spent, reserved: told.reserved });
      if (spent + reserved > amount) throw new Error(`${where}: overrun, ${spent} + ${reserved} of ${amount}`);
    }
}

/** No reservation without an open job that needs one; no finished job without its one row; all rows add up. */
function checkNothingLeaks({ database }: Board, seed: number): void {
  const count = (sql: string) => database.sqlite.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${sql}`).get()?.n;
  const open = "(SELECT id FROM job WHERE status IN ('queued', 'running'))";
  expect([seed, count(`reservation WHERE job NOT IN ${open}`)]).toEqual([seed, 0]);
  expect([seed, count(`job WHERE id IN ${open} AND id NOT IN (SELECT job FROM reservation)`)]).toEqual([seed, 0]);
  expect([seed, count(`usage WHERE job IN ${open}`)]).toEqual([seed, 0]);
  expect([seed, count(`job WHERE id NOT IN ${open} AND id NOT IN (SELECT job FROM usage)`)]).toEqual([seed, 0]);
}

const prices = [
  { unit: "request", amount: 0.02, currency: "USD", also: [] },
  { unit: "token", amount: 0.001, currency: "USD", also: [{ unit: "request", amount: 0.01 }] },
];

type Seen = { admitted: number; held: number; refused: number; lost: number; kills: number };

async function runSchedule(seed: number, seen: Seen): Promise<void> {
  const random = randomFrom(seed);
  using database = openDatabase({ file: ":memory:" });
  const price = prices[seed % prices.length];
  let board = createAccountBoard({ database, model: pricedModel(price && { price }) });
  const budgets = budgetsOf(random);
  const keys = [
    board.keyOf({ budgets }, { team: "art" }),
    board.keyOf({ budgets: budgetsOf(random) }, { team: "art" }),
  ];
  const shared = { kind: "team" as const, id: "art" };
  board.limit(shared, { budgets: budgetsOf(random) });
  const accounts = [...keys.map((id) => ({ kind: "key" as const, id })), shared];
  const client = async () => {
    for (let turns = random(3); turns > 0; turns--) await new Promise(setImmediate);
    const key = keys[random(keys.length)] ?? board.keyOf();
    const isAnnounced = random(2) > 0;
    await board.submit({ key, isAnnounced }).then(
      ({ id }) => {
        seen.admitted++;
        if (board.ledger.store.isHeld(id)) seen.held++;
      },
      ({ code }: { code?: string }) => {
        if (code === "budget_exhausted") seen.refused++;
        else if (code === "unavailable") seen.lost++;
        else throw new Error(`schedule ${seed}: ${code}`);
      },
    );
  };
  const mayDie = () => {
    if (random(3) > 0) return;
    board = kill(board);
    seen.kills++;
  };
  for (let round = 0; round < 4; round++) {
    const clients = Array.from({ length: 1 + random(CLIENTS) }, client);
    for (let turns = random(3); turns > 0; turns--) await new Promise(setImmediate);
    mayDie();
    await Promise.all(clients);
    for (const job of board.jobs.open()) goOn(board, job, random);
    mayDie();
    board.clock.advance(random(2_400_000));
    checkNothingLeaks(board, seed);
    checkBooks(board, accounts, seed);
    checkNothingLeaks(board, seed);
  }
  for (const job of board.jobs.open()) {
    board.jobs.cancel(job.id);
    board.work.fail(job.id, { code: "runner_failed", message: "stopped" });
    board.work.interrupt(job.id, { code: "internal", message: "stopped" });
  }
  checkNothingLeaks(board, seed);
}

test(`in ${SCHEDULES} schedules of up to ${CLIENTS} clients, kills included, no budget overruns, nothing leaks and the books add up`, async () => {
  const seen = { admitted: 0, held: 0, refused: 0, lost: 0, kills: 0 };
  for (let seed = 1; seed <= SCHEDULES; seed++) await runSchedule(seed, seen);
  // Schedules in which nothing happens would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(SCHEDULES / 8);
}, 400_000);

test("fifty clients who race for the last unit have one winner, over and over", async () => {
  for (let round = 0; round < 20; round++) {
    using database = openDatabase({ file: ":memory:" });
    const { keyOf, submit } = createAccountBoard({ database });
    const key = keyOf({ budgets: ["1 requests/day", "0.02 USD/day"] });
    const outcomes = await Promise.allSettled(Array.from({ length: CLIENTS }, () => submit({ key })));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});

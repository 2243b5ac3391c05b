// Boxes whose clock is wrong: what is young stays, whatever the clock says for a while.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cautiousClock } from "../../../src/control/retention/cautious-clock.ts";
import { createTimeServer } from "../../../src/control/retention/time-server.ts";
import { createUptime } from "../../../src/control/retention/uptime.ts";
import { OPEN } from "../../../src/control/storage/acl.ts";
import type { Timers } from "../../../src/core/clock.ts";
import { createLog, silentLog } from "../../../src/core/log.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { echoEntry } from "../../support/job-board.ts";
import { createTestClock } from "../../support/test-clock.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

test("a leap ahead counts once it has stayed for a day, one that is taken back never, one back at once", () => {
  const clock = createTestClock();
  const cautious = cautiousClock(clock, { known: undefined, log: silentLog });
  const begun = clock.now();
  clock.advance(40 * DAY);
  expect(cautious.now()).toBe(instant(begun + 40 * DAY));
  clock.jump(YEAR);
  expect(cautious.now()).toBe(instant(begun + 40 * DAY));
  clock.advance(DAY - HOUR);
  expect(cautious.now()).toBe(instant(begun + 41 * DAY - HOUR));
  clock.jump(-YEAR);
  clock.advance(HOUR);
  expect(cautious.now()).toBe(clock.now());
  clock.jump(YEAR);
  expect(cautious.now()).toBe(instant(begun + 41 * DAY));
  clock.advance(DAY);
  expect(cautious.now()).toBe(clock.now());
  clock.jump(-YEAR);
  expect(cautious.now()).toBe(clock.now());
});

test("what was known at the start is where it goes on from, and an operator hears of a leap", () => {
  const clock = createTestClock();
  const lines: string[] = [];
  const log = createLog({ level: "warn", format: "json", write: (line) => lines.push(line) });
  const known = instant(clock.now() - 90 * DAY);
  const cautious = cautiousClock(clock, { known, log });
  expect([cautious.now(), cautious.now()]).toEqual([known, known]);
  expect(lines.map((line) => JSON.parse(line).message)).toEqual([expect.stringContaining("90 days ahead")]);
  clock.advance(DAY);
  expect(cautious.now()).toBe(clock.now());
  expect(cautiousClock(clock, { known: instant(clock.now() + YEAR), log }).now()).toBe(clock.now());
});

/** A box whose machine sleeps, stops and starts anew, with servers that go on from each other's marks. */
function createMachine() {
  const clock = createTestClock();
  let [boot, startedAt] = ["first", clock.steady?.() ?? 0];
  let mark: ReturnType<ReturnType<typeof cautiousClock>["mark"]> | undefined;
  let server = cautiousClock(clock, { mark, known: undefined, log: silentLog });
  const uptime = () => ({ boot, ms: (clock.steady?.() ?? 0) - startedAt });
  const begin = () => {
    server = cautiousClock(clock, { mark, known: undefined, uptime, log: silentLog });
  };
  begin();
  return {
    clock,
    /** How far behind the clock sweeps are. */
    behind: () => clock.now() - server.now(),
    /** The server ends and another one begins so much later; the machine was off all the while, or not. */
    restart(after: number, machine: "on" | "off" = "on") {
      mark = server.mark();
      clock.advance(after);
      if (machine === "off") [boot, startedAt] = [`boot ${clock.now()}`, clock.steady?.() ?? 0];
      begin();
    },
  };
}

test("a server that was idle, or was not there for weeks while its machine ran, sweeps by the clock at once", () => {
  const box = createMachine();
  for (const pause of [5 * HOUR, 40 * DAY]) {
    box.clock.advance(pause);
    box.restart(0);
    expect(box.behind()).toBe(0);
    box.restart(pause);
    expect(box.behind()).toBe(0);
  }
});

test("a machine that was off for a night is believed at once, one that was for longer after a day", () => {
  const box = createMachine();
  box.restart(12 * HOUR, "off");
  expect(box.behind()).toBe(0);
  box.restart(3 * DAY, "off");
  expect(box.behind()).toBe(3 * DAY);
  box.clock.advance(DAY);
  expect(box.behind()).toBe(0);
});

test("a clock that is wrong is doubted over restarts of server and machine, which do not begin its day anew", () => {
  const box = createMachine();
  box.clock.jump(YEAR);
  expect(box.behind()).toBe(YEAR);
  for (const machine of ["on", "off", "on"] as const) {
    box.clock.advance(5 * HOUR);
    box.restart(0, machine);
    expect(box.behind()).toBe(YEAR);
  }
  box.restart(2 * HOUR);
  expect(box.behind()).toBe(YEAR);
  box.clock.jump(-YEAR);
  expect(box.behind()).toBe(0);
  box.clock.jump(YEAR);
  expect(box.behind()).toBe(YEAR);
  box.restart(23 * HOUR);
  expect(box.behind()).toBe(YEAR);
  box.clock.advance(HOUR);
  expect(box.behind()).toBe(0);
});

test("a machine that is started with a wrong clock removes nothing for a day", () => {
  const box = createMachine();
  box.clock.jump(YEAR);
  box.restart(0, "off");
  expect(box.behind()).toBe(YEAR);
});

test("a machine that was off for days is believed as soon as a time server has set its clock, not one that leaped since", () => {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-time-"));
  const file = join(folder, "synchronized");
  const clock = createTestClock();
  const set = (at: number) => utimesSync(file, at / 1000, at / 1000);
  const [begun, isConfirmed] = [clock.now(), createTimeServer(file)];
  const cautious = cautiousClock(clock, { mark: { at: begun }, known: undefined, isConfirmed, log: silentLog });
  clock.jump(3 * DAY);
  // No server was reached yet, or none since the clock was wrong.
  expect(cautious.now()).toBe(begun);
  writeFileSync(file, "");
  for (const wrong of [clock.now() - DAY, clock.now() + DAY]) {
    set(wrong);
    expect(cautious.now()).toBe(begun);
  }
  set(clock.now() - HOUR / 2);
  expect(cautious.now()).toBe(clock.now());
  clock.jump(YEAR);
  expect(cautious.now()).toBe(instant(clock.now() - YEAR));
  rmSync(folder, { recursive: true });
});

test("Linux tells how long it has been up, and which start that was; elsewhere nothing is told", () => {
  const uptime = createUptime();
  const [first, second] = [uptime(), uptime()];
  expect(first?.boot).toMatch(/^[0-9a-f-]{36}$/);
  expect(second?.ms).toBeGreaterThanOrEqual(first?.ms ?? Number.POSITIVE_INFINITY);
  expect(createUptime("/nowhere")()).toBeUndefined();
});

test("a server that is started in 2099, or set there, removes no job, no upload and no row of the ledger", async () => {
  const data = mkdtempSync(join(tmpdir(), "forecourt-clock-"));
  const clock = createTestClock();
  // What looks every few seconds has its turn once an hour, as the sweeps have.
  const timers: Timers = { after: (delay, call) => clock.after(milliseconds(Math.max(delay, HOUR)), call) };
  const open = () => createTestAppliance({ data, clock, timers, fleet: createFakeFleet({ clock }) });
  type Box = Awaited<ReturnType<typeof open>>;
  const left = ({ database }: Box) =>
    database.sqlite
      .query("select (select count(*) from job), (select count(*) from upload), (select count(*) from usage)")
      .values()[0];
  /** Each of the sweeps has its turns, however long the disk takes for what they wait for. */
  const after = async (box: Box, ms: number) => {
    for (let passed = 0; passed < ms; passed += HOUR) {
      clock.advance(HOUR);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      await box.database.committed();
    }
    return left(box);
  };
  {
    await using box = await open();
    const key = box.keys.list()[0]?.id ?? expect.unreachable();
    const job = { model: echoEntry.model, endpoint: "forecourt/echo", key, input: { prompt: "hi" } };
    const { id } = await box.jobs.submit({ ...job, rejectInvalid: true });
    await box.jobs.untilEnd(id, AbortSignal.timeout(60_000));
    const lifecycle = { acl: OPEN, keepFor: milliseconds(2 * DAY) };
    const { secret } = await box.uploads.begin({ key, name: "a.txt", contentType: "text/plain", lifecycle });
    await box.uploads.write(secret, new Blob(["content"]).stream());
    clock.jump(73 * YEAR);
    expect(await after(box, 3 * HOUR)).toEqual([1, 1, 1]);
  }
  {
    await using box = await open();
    expect(await after(box, 3 * HOUR)).toEqual([1, 1, 1]);
    clock.jump(-73 * YEAR);
    expect(await after(box, 3 * HOUR)).toEqual([1, 1, 1]);
    // What is over by the right time goes.
    expect(await after(box, 2 * DAY)).toEqual([1, 0, 1]);
    expect(await after(box, 29 * DAY)).toEqual([0, 0, 1]);
  }
  rmSync(data, { recursive: true });
});

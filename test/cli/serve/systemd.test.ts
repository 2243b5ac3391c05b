// What systemd hears of a server, in its words and order, on a real socket; with a time of the test's own.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openNotifySocket } from "../../../src/cli/serve/notify-socket.ts";
import { createSystemd } from "../../../src/cli/serve/systemd.ts";
import { createLoop } from "../../../src/control/scheduler/loop.ts";
import { serviceFacts } from "../../../src/control/settings.ts";
import { ForecourtError } from "../../../src/core/errors.ts";
import { createLog } from "../../../src/core/log.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { newFolder, removeFolders } from "../command.ts";
import { listenAsSystemd } from "./listen-as-systemd.ts";

afterAll(removeFolders);

const WATCHDOG = milliseconds(60_000);
const log = createLog({ level: "error", format: "json" });

/** With the scheduler's own loop, whose looks are the test's. */
function service({ look = () => {}, isWatched = true } = {}) {
  const socket = join(newFolder(), "notify");
  const clock = createTestClock();
  const receiver = listenAsSystemd(socket);
  const systemd = createSystemd({ service: { socket, ...(isWatched && { watchdog: WATCHDOG }) }, timers: clock, log });
  const loop = createLoop({ look: () => void look(), mend() {}, clock, timers: clock, log });
  loop.start();
  return {
    ...{ socket, systemd, loop, receiver },
    /** Everything that is told within so many seconds. */
    async pass(seconds: number) {
      const all: string[] = [];
      for (let passed = 0; passed < seconds; passed++) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        clock.advance(1000);
        await new Promise<void>((resolve) => setImmediate(resolve));
        for (let message = receiver.receive(); message !== ""; message = receiver.receive()) all.push(message);
      }
      return all;
    },
    [Symbol.dispose]() {
      systemd[Symbol.dispose]();
      receiver[Symbol.dispose]();
    },
  };
}

const feedings = (messages: string[]) => messages.filter((message) => message === "WATCHDOG=1").length;

test("it hears of a start, of readiness with how the server is, of changes of that alone, and of a stop; then of nothing", async () => {
  using box = service({ isWatched: false });
  const { systemd, loop, pass } = box;
  let status = "Ready: 3 models";
  systemd.starting("Starting");
  systemd.ready({ status: () => status, looked: loop.looked });
  expect(await pass(20)).toEqual(["STATUS=Starting", "READY=1\nSTATUS=Ready: 3 models"]);
  status = "Degraded: cuda:0 is lost";
  expect(await pass(20)).toEqual(["STATUS=Degraded: cuda:0 is lost"]);
  systemd.stopping("Stopping");
  status = "Ready";
  expect(await pass(20)).toEqual(["STOPPING=1\nSTATUS=Stopping"]);
});

test("a scheduler that looks at its queue is fed four times in the time of the watchdog", async () => {
  using box = service();
  box.systemd.ready({ status: () => "Ready", looked: box.loop.looked });
  expect(feedings(await box.pass(59))).toBe(4);
  expect(feedings(await box.pass(600))).toBe(40);
});

test("one whose loop ended, or fails at each look, is not fed; one that has mended itself is", async () => {
  let failure: Error | undefined;
  using box = service({
    look() {
      if (failure) throw failure;
    },
  });
  box.systemd.ready({ status: () => "Ready", looked: box.loop.looked });
  expect(feedings(await box.pass(59))).toBe(4);
  failure = new Error("a fact that cannot be");
  expect(feedings(await box.pass(300))).toBe(0);
  failure = undefined;
  expect(feedings(await box.pass(60))).toBeGreaterThan(2);
  box.loop.stop();
  expect(feedings(await box.pass(300))).toBe(0);
});

test("a database that takes nothing is no reason to end the server: another would do no better", async () => {
  const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  using box = service({
    look() {
      throw new ForecourtError("unavailable", "The database could not be written.", { cause: full });
    },
  });
  box.systemd.ready({ status: () => "Ready", looked: box.loop.looked });
  expect(feedings(await box.pass(119))).toBe(8);
});

test("what it does not take while it is busy it hears later, in order", async () => {
  using box = service();
  using other = openNotifySocket(box.socket);
  expect(() => {
    for (;;) other.send("X=1");
  }).toThrow("took no message");
  box.systemd.starting("Starting");
  box.systemd.ready({ status: () => "Ready", looked: box.loop.looked });
  const heard = (await box.pass(30)).filter((message) => message !== "X=1");
  expect(heard.slice(0, 2)).toEqual(["STATUS=Starting", "READY=1\nSTATUS=Ready\nWATCHDOG_USEC=60000000"]);
  expect(feedings(heard)).toBeGreaterThan(0);
});

test("the watchdog is for the process that systemd means, of the unit's time or of our own", () => {
  const told = { NOTIFY_SOCKET: "@x", WATCHDOG_USEC: "90000000" };
  const ninety = { socket: "@x", watchdog: milliseconds(90_000) };
  expect(serviceFacts({ ...told, WATCHDOG_PID: String(process.pid) })).toEqual(ninety);
  expect(serviceFacts(told)).toEqual(ninety);
  expect(serviceFacts({ NOTIFY_SOCKET: "@x" })).toEqual({ socket: "@x", watchdog: WATCHDOG });
  expect(serviceFacts({ ...told, WATCHDOG_PID: "1" })).toEqual({ socket: "@x" });
  for (const none of ["0", "", "soon"])
    expect(serviceFacts({ NOTIFY_SOCKET: "@x", WATCHDOG_USEC: none })).toEqual({ socket: "@x" });
  expect(serviceFacts({ WATCHDOG_USEC: "60000000" })).toBeUndefined();
});

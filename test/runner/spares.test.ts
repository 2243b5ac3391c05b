// Processes that are started ahead: taken by the next load, replaced afterwards, ended with the fleet.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSpares } from "../../src/control/fleet/spares.ts";
import { runnerCommand } from "../../src/control/fleet/spawn.ts";
import { systemTimers } from "../../src/core/clock.ts";
import { newRunnerId } from "../../src/core/ids.ts";
import { milliseconds } from "../../src/core/units.ts";
import type { FromRunner } from "../../src/engine/protocol.ts";
import { cpu, echoModel, isRunning, watchFleet } from "../support/fleet-watcher.ts";
import { childrenOf } from "../support/live-server.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

/** Fills at once: the rest before it is for servers. */
const timers = { after: (_: number, call: () => void) => systemTimers.after(milliseconds(0), call) };
const spares = { devices: [cpu], count: 1 };

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await Bun.sleep(10);
}

const sparePids = async () => {
  const pids = await childrenOf(process.pid);
  const lines = await Promise.all(
    pids.map((pid) =>
      Bun.file(`/proc/${pid}/cmdline`)
        .text()
        .catch(() => ""),
    ),
  );
  return pids.filter((_, at) => lines[at]?.split("\0").includes("spare"));
};

/** Start limits stay what they are; only the rest before a process is started ahead is cut short. */
const fillSoon: typeof systemTimers.after = (delay, call) =>
  systemTimers.after(delay === 1_500 ? milliseconds(0) : delay, call);

test("a load takes the process that was started ahead, and the next one finds another", async () => {
  const before = await sparePids();
  const own = async () => (await sparePids()).filter((pid) => !before.includes(pid));
  await using watched = await watchFleet({ spares, timers: { after: fillSoon } });
  // Only a process that listens reads ahead.
  await until(() => watched.fleet.readAhead("/nonexistent"));
  const [spare = -1] = await own();
  const { pid } = await watched.start();
  expect(pid).toBe(spare);
  await until(() => watched.fleet.readAhead("/nonexistent"));
  expect((await own()).filter((each) => each !== spare)).toHaveLength(1);
});

test("what nobody took is gone with the fleet", async () => {
  const made = createSpares({
    command: runnerCommand(),
    runtime: "/nonexistent",
    libraries: undefined,
    count: 2,
    timers,
  });
  const before = await sparePids();
  made.fill(cpu);
  const own = async () => (await sparePids()).filter((pid) => !before.includes(pid));
  await until(async () => (await own()).length === 2);
  const pids = await own();
  await made.stop();
  expect(await Promise.all(pids.map(isRunning))).toEqual([false, false]);
});

test("a process that reads ahead still loads a model at once", async () => {
  await using watched = await watchFleet();
  const folder = join(watched.folder, "weights");
  mkdirSync(folder);
  writeFileSync(join(folder, "model.onnx_data"), new Uint8Array(64 * 1024 * 1024));
  const made = createSpares({
    ...{ command: runnerCommand(), runtime: join(watched.folder, "runtime"), libraries: undefined, count: 1, timers },
  });
  made.fill(cpu);
  await until(() => made.readAhead(folder));
  const { promise: ready, resolve } = Promise.withResolvers<FromRunner["type"]>();
  const onMessage = ({ type }: FromRunner) => (type === "ready" || type === "fatal") && resolve(type);
  const child = made.take(cpu, { onMessage, onLine() {}, onBroken() {}, onExit() {} });
  child?.send({
    ...{ type: "load", model: echoModel(), device: cpu, weights: folder, warmups: [], threads: 1 },
    runtime: join(watched.folder, "runtime"),
  });
  expect(await ready).toBe("ready");
  child?.kill();
  await made.stop();
});

test("a model's warm-up inputs are run before it is ready; one that fails is a failed start", async () => {
  await using watched = await watchFleet();
  const steps = { prompt: "hello", steps: 3, step_ms: 50 };
  const runner = newRunnerId();
  watched.fleet.load({ runner, model: echoModel(), device: cpu, weights: watched.folder, warmups: [steps] });
  expect((await watched.next("ready", runner)).loadMs).toBeGreaterThanOrEqual(140);
  const broken = newRunnerId();
  const warmups = [JSON.parse("null")]; // the echo pipeline reads fields of it
  watched.fleet.load({ runner: broken, model: echoModel(), device: cpu, weights: watched.folder, warmups });
  expect((await watched.next("gone", broken)).failure?.code).toBe("runner_crashed");
  expect(watched.fleet.backOffs().size).toBe(1);
});

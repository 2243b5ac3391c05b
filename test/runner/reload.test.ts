// Real processes: a popular model comes back in a quiet moment, and gives way at once to a job of another model.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAppliance } from "../../src/control/appliance.ts";
import type { FleetEvent } from "../../src/control/fleet/fleet.ts";
import { defaultSettings } from "../../src/control/settings.ts";
import { systemTimers } from "../../src/core/clock.ts";
import { asId, type KeyId, type ModelId } from "../../src/core/ids.ts";
import { silentLog } from "../../src/core/log.ts";
import { instant, MIB, milliseconds } from "../../src/core/units.ts";
import { testHardware } from "../support/create-test-appliance.ts";
import { watchFleet } from "../support/fleet-watcher.ts";
import { testModel } from "../support/test-models.ts";

// Processes on a loaded machine.
setDefaultTimeout(120_000);

/** What comes within ten seconds by the box's clock comes at once: that clock is moved by hand. */
const soon: typeof systemTimers.after = (delay, call) =>
  systemTimers.after(delay > 5_000 && delay <= 10_000 ? milliseconds(50) : delay, call);

const A = asId<ModelId>("test/a");
const B = asId<ModelId>("test/b");

/** What a process with the echo pipeline holds here: the box is given room for one and a half. */
async function sizeOfRunner(): Promise<number> {
  await using watched = await watchFleet();
  await watched.start();
  const ready = watched.events.find((event) => event.type === "ready");
  if (!ready) throw new Error("it is ready");
  return Math.ceil(ready.memory / MIB);
}

async function stage() {
  const sizeMb = await sizeOfRunner();
  const data = mkdtempSync(join(tmpdir(), "forecourt-reload-"));
  const defaults = defaultSettings(data);
  let offset = 0;
  const appliance = await createAppliance({
    log: silentLog,
    hardware: testHardware,
    builtInModels: [testModel(A, { sizeMb }), testModel(B, { sizeMb })],
    settings: { ...defaults, memory: { ...defaults.memory, budgetMb: Math.round(1.6 * sizeMb), spareRunners: 0 } },
    clock: { now: () => instant(Date.now() + offset) },
    timers: { after: soon },
  });
  await appliance.start();
  const events: FleetEvent[] = [];
  appliance.fleet.subscribe((event) => events.push(event));
  const { jobs, catalog, fleet } = appliance;
  const seen = async (what: () => boolean) => {
    // The box looks every ten seconds of its own.
    for (let times = 1; !what(); times++) {
      await Bun.sleep(5);
      if (times % 40 === 0) offset += 10_000;
    }
  };
  const ask = async (model: ModelId) => {
    const entry = catalog.find(model);
    if (!entry) throw new Error(`no model ${model}`);
    const submission = { model: entry.model, endpoint: model, key: asId<KeyId>("key"), input: { prompt: "hi" } };
    const { id } = await jobs.submit({ ...submission, rejectInvalid: true });
    await seen(() => jobs.find(id)?.status === "done");
  };
  return {
    ...{ events, ask, seen },
    pass: (ms: number) => {
      offset += ms;
    },
    stateOf: (model: ModelId) => fleet.runners().find((runner) => runner.model === model)?.state,
    async [Symbol.asyncDispose]() {
      await appliance.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

test("a popular model comes back by itself, and a job of another model does not wait for it", async () => {
  await using on = await stage();
  const { events, ask, pass, stateOf, seen } = on;
  for (let times = 0; times < 4; times++) {
    await ask(A);
    pass(60_000);
  }
  await ask(B);
  expect(stateOf(A)).toBeUndefined();
  pass(130_000);
  await seen(() => stateOf(A) === "ready");
  const ready = (model: ModelId) => events.filter((event) => event.type === "ready" && event.model === model);
  expect(ready(A).map((event) => event.type === "ready" && event.isReload)).toEqual([undefined, true]);
  await ask(A);
  expect(ready(A)).toHaveLength(2);

  await ask(B);
  pass(130_000);
  await seen(() => stateOf(A) === "starting");
  await ask(B);
  const since = events.slice(events.findLastIndex((event) => event.type === "gone" && event.model === B));
  expect(since.filter((event) => event.type === "ready").map(({ model }) => model)).toEqual([B]);
  expect(since.find((event) => event.type === "gone" && event.model === A)).toMatchObject({ model: A });
});

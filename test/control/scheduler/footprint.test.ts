// What a loaded model takes of a GPU: the model file's estimate until it is measured there, never its process's size.
import { expect, test } from "bun:test";
import type { BoxSample } from "../../../src/control/hardware/readings.ts";
import { bytes, MIB } from "../../../src/core/units.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { createHardware, submitTo } from "../../support/gpu-box.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";

/** A GPU of 8 GiB, and two models that do not fit on it together. */
async function stage() {
  const clock = createTestClock();
  const fleet = createFakeFleet({ automatic: false, clock });
  const { hardware, slots } = createHardware(1);
  const processes = new Map<number, ReturnType<typeof bytes>>();
  const sampleBox = async (): Promise<BoxSample> => ({
    ...{ cards: new Map(slots.map((slot) => [slot, {}])), silent: new Set<string>(), processor: {}, processes },
  });
  const models = [testModel("test/a", { sizeMb: 5_000 }), testModel("test/b", { sizeMb: 4_000 })];
  const parts = { clock, timers: clock, fleet, hardware, sampleBox, builtInModels: models };
  const appliance = await createTestAppliance({ ...parts, settings: { device: "cuda" } });
  await submitTo(appliance, "test/a");
  await until(() => fleet.loads.length === 1);
  const runner = fleet.loads[0]?.runner;
  if (runner === undefined) throw new Error("loaded");
  fleet.becomeReady(runner, bytes(100 * MIB));
  await until(() => fleet.runs.length === 1);
  fleet.end(
    fleet.runs[0]?.batch ??
      (() => {
        throw new Error("runs");
      })(),
  );
  return { ...appliance, fleet, runner, clock, processes };
}

test("a small process does not hide a large model on the card: it goes before another one is loaded", async () => {
  const on = await stage();
  await submitTo(on, "test/b");
  await until(() => on.fleet.evictions.length === 1);
  expect(on.fleet.evictions).toEqual([on.runner]);
  expect(on.fleet.loads).toHaveLength(1);
  await on[Symbol.asyncDispose]();
});

test("once the card's driver tells what the process holds, that counts instead of the estimate", async () => {
  const on = await stage();
  const pid = on.fleet.runners()[0]?.pid ?? -1;
  on.processes.set(pid, bytes(2_000 * MIB));
  await until(() => {
    on.clock.advance(3_000);
    return on.scheduler.standing().length > 0 && on.monitor.snapshot().at >= on.clock.now() - 3_000;
  });
  await submitTo(on, "test/b");
  await until(() => on.fleet.loads.length === 2 || on.fleet.evictions.length > 0);
  expect({ loads: on.fleet.loads.length, evictions: on.fleet.evictions }).toEqual({ loads: 2, evictions: [] });
  await on[Symbol.asyncDispose]();
});

// A GPU that vanishes: its runners are ended, its jobs fail over to another device or end with `device_lost`.
import { expect, test } from "bun:test";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { createHardware, removableCards, submitTo } from "../../support/gpu-box.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";

async function stage(gpus: number, device: "auto" | "cuda") {
  const clock = createTestClock();
  const fleet = createFakeFleet({ automatic: false, clock });
  const { hardware, slots } = createHardware(gpus);
  const { present, sampleBox } = removableCards(slots);
  const models = [testModel("test/a")];
  const appliance = await createTestAppliance({
    ...{ clock, timers: clock, fleet, hardware, sampleBox, builtInModels: models },
    settings: { device },
  });
  /** The next look of the monitor comes within seconds. */
  const pull = async (slot: string) => {
    present.delete(slot);
    const lost = hardware.devices.find((each) => each.slot === slot);
    await until(() => {
      clock.advance(3_000);
      return lost !== undefined && appliance.monitor.isLost(lost.id);
    });
  };
  return { ...appliance, fleet, slots, pull, submit: () => submitTo(appliance, "test/a") };
}

test("a job on a lost GPU is tried again on another one", async () => {
  const on = await stage(2, "cuda");
  const job = await on.submit();
  await until(() => on.fleet.loads.length === 1);
  const [first] = on.fleet.loads;
  if (!first) throw new Error("loaded");
  on.fleet.becomeReady(first.runner);
  await until(() => on.fleet.runs.length === 1);
  await on.pull(first.device.slot ?? "");
  await until(() => on.fleet.loads.length === 2);
  expect(on.fleet.loads[1]?.device.id).not.toBe(first.device.id);
  expect(on.jobs.find(job.id)).toMatchObject({ status: "queued", attempts: 1 });
  expect(on.fleet.backOffs().size).toBe(0);
  await on[Symbol.asyncDispose]();
});

test("without another device the job ends with device_lost, and so do later ones, by name", async () => {
  const on = await stage(1, "cuda");
  await on.pull(on.slots[0] ?? "");
  const job = await on.submit();
  await until(() => on.jobs.find(job.id)?.status === "failed");
  expect(on.jobs.find(job.id)).toMatchObject({
    failure: { code: "device_lost", message: expect.stringContaining("cuda:0"), details: { devices: ["cuda:0"] } },
  });
  await on[Symbol.asyncDispose]();
});

test("with a CPU beside it the box goes on there, and the job says so", async () => {
  const on = await stage(1, "auto");
  await on.pull(on.slots[0] ?? "");
  await on.submit();
  await until(() => on.fleet.loads.length === 1);
  expect(on.fleet.loads[0]?.device.id).toBe("cpu" as never);
  await on[Symbol.asyncDispose]();
});

// A model with other files for other devices: what is fetched, loaded and told where.
import { expect, test } from "bun:test";
import { defaultSettings } from "../../../src/control/settings.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { createHardware, removableCards, submitTo } from "../../support/gpu-box.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { until } from "../../support/until.ts";
import { variantHub, variantModel } from "../../support/variant-model.ts";

const ID = "acme/variants";

async function stage(gpus: number, change: Record<string, unknown> = {}) {
  const hub = variantHub();
  const clock = createTestClock();
  const fleet = createFakeFleet({ automatic: false, clock });
  const { hardware, slots } = createHardware(gpus);
  const { present, sampleBox } = removableCards(slots);
  const { hub: defaults } = defaultSettings("/");
  const appliance = await createTestAppliance({
    ...{ clock, timers: clock, fleet, hardware, sampleBox, builtInModels: [variantModel(ID, change)] },
    settings: { device: "auto", hub: { ...defaults, endpoint: hub.endpoint } },
  });
  return {
    ...{ ...appliance, hub, fleet, clock },
    submit: () => submitTo(appliance, ID),
    graphs: () => hub.files.map(({ path }) => path).filter((path) => path.endsWith(".onnx")),
    async pull() {
      present.clear();
      await until(() => {
        clock.advance(3_000);
        return hardware.devices.filter(({ kind }) => kind !== "cpu").every(({ id }) => appliance.monitor.isLost(id));
      });
    },
    async [Symbol.asyncDispose]() {
      await appliance[Symbol.asyncDispose]();
      await hub[Symbol.asyncDispose]();
    },
  };
}

test("a card loads its own variant, and nothing else is fetched", async () => {
  await using on = await stage(1);
  await on.submit();
  await until(() => on.fleet.loads.length === 1);
  expect(on.fleet.loads[0]).toMatchObject({
    device: { id: "cuda:0" },
    model: { dtype: "fp16", graphs: { "onnx/model.onnx": "onnx/model_fp16.onnx" }, memory: { weights: 60_000_000 } },
  });
  expect(on.graphs()).toEqual(["onnx/model_fp16.onnx"]);
});

test("a box without one loads the CPU's", async () => {
  await using on = await stage(0);
  await on.submit();
  await until(() => on.fleet.loads.length === 1);
  expect(on.fleet.loads[0]).toMatchObject({ device: { id: "cpu" }, model: { dtype: "fp32", graphs: {} } });
  expect(on.graphs()).toEqual(["onnx/model.onnx"]);
});

test("when the card is lost, the CPU's files are fetched and loaded", async () => {
  await using on = await stage(1);
  await on.pull();
  await on.submit();
  await until(() => on.fleet.loads.length === 1);
  expect(on.fleet.loads[0]).toMatchObject({ device: { id: "cpu" }, model: { dtype: "fp32" } });
  expect(on.graphs()).toEqual(["onnx/model.onnx"]);
});

test("what fits on the card only in its own variant is placed there: estimates are each device's own", async () => {
  // 8192 MiB a card; the CPU's variant would need more than that, and more than models may take of main memory.
  await using on = await stage(1, { memory: { weights: 9e9, working: 0 } });
  await on.submit();
  await until(() => on.fleet.loads.length === 1);
  expect(on.fleet.loads[0]).toMatchObject({ device: { id: "cuda:0" }, model: { dtype: "fp16" } });
});

test("a further runner of a loaded model finds its weights", async () => {
  await using on = await stage(2);
  for (let each = 0; each < 60; each++) await on.submit();
  await until(() => on.fleet.loads.length === 1);
  on.fleet.becomeReady(on.fleet.loads[0]?.runner as never);
  await until(() => on.fleet.runs.length === 1);
  on.fleet.end(on.fleet.runs[0]?.batch as never, { code: "invalid_input", message: "no" });
  // Whether to load a further one is asked now and then.
  await until(() => {
    on.clock.advance(25);
    return on.fleet.loads.length === 2;
  });
  expect(on.fleet.loads.map(({ device }) => String(device.id)).sort()).toEqual(["cuda:0", "cuda:1"]);
});

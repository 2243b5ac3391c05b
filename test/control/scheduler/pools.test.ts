// Pools as operators write them: which models they take, their devices, and the length of their queue.
import { expect, test } from "bun:test";
import { createResidency } from "../../../src/control/scheduler/residency.ts";
import { defaultSettings, resolveSettings } from "../../../src/control/settings.ts";
import { parse } from "../../../src/core/schema.ts";
import { modelSchema } from "../../../src/engine/model.ts";
import { createTestAppliance } from "../../support/create-test-appliance.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";
import { echoModel } from "../../support/fleet-watcher.ts";
import { createHardware, submitTo } from "../../support/gpu-box.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";

const pool = {
  name: "videos",
  devices: ["cuda:1"],
  models: ["category:text-to-video", "lab/svd*"],
  concurrency: 1,
  maxQueue: 2,
};
const memory = { ...defaultSettings("/").memory, pinned: ["lab/pinned"], warm: ["lab/w*"] };
const model = (more: Record<string, unknown>) => parse(modelSchema, echoModel(more));

test("the first pool with a pattern for a model's id, alias or category takes it", () => {
  const { poolOf } = createResidency({ pools: [pool, { ...pool, name: "rest", models: ["lab/*"] }], memory });
  expect(poolOf(model({ id: "lab/film", category: "text-to-video" }))).toBe("videos");
  expect(poolOf(model({ id: "lab/svd/large" }))).toBe("videos");
  expect(poolOf(model({ id: "other/x", aliases: ["lab/svd-x"] }))).toBe("videos");
  expect(poolOf(model({ id: "lab/picture" }))).toBe("rest");
  expect(poolOf(model({ id: "other/x" }))).toBeUndefined();
});

test("two pools of one name are refused", () => {
  const pools = [pool, { ...pool, name: "rest" }, { ...pool, models: ["lab/*"] }];
  expect(() => createResidency({ pools, memory })).toThrow(/two of them are named videos/);
});

test("models are pinned and warm by their file or by the settings", () => {
  const { isPinned, isWarm } = createResidency({ pools: [], memory });
  const all = [
    { id: "lab/pinned" },
    { id: "x/y", residency: "pinned" },
    { id: "lab/warm" },
    { id: "x/y", warm: true },
    { id: "x/y" },
  ];
  expect(all.map((each) => [isPinned(model(each)), isWarm(model(each))])).toEqual([
    [true, true],
    [true, true],
    [false, true],
    [false, true],
    [false, false],
  ]);
});

test("pools are written in the environment as JSON, with their limits left out where they are usual", () => {
  const given = JSON.stringify([{ name: "a", devices: ["cpu"], models: ["*"] }]);
  const { settings } = resolveSettings({ flags: { data: "/nonexistent" }, env: { FORECOURT_POOLS: given } });
  expect(settings.pools).toEqual([{ name: "a", devices: ["cpu"], models: ["*"], concurrency: 0, maxQueue: 10_000 }]);
  expect(() => resolveSettings({ flags: { data: "/nonexistent" }, env: { FORECOURT_POOLS: "[{" } })).toThrow("pools");
});

test("a video never delays a picture: each has its device, and the videos' queue its own end", async () => {
  const fleet = createFakeFleet({ automatic: false });
  const { hardware } = createHardware(2);
  await using on = await createTestAppliance({
    ...{ fleet, hardware, settings: { pools: [pool], device: "cuda" } },
    sampleBox: async () => ({
      cards: new Map(hardware.devices.flatMap(({ slot }) => (slot === undefined ? [] : [[slot, {}] as const]))),
      ...{ silent: new Set<string>(), processor: {}, processes: new Map() },
    }),
    builtInModels: [testModel("lab/svd"), testModel("lab/svd-2"), testModel("lab/picture")],
  });
  await submitTo(on, "lab/svd");
  await submitTo(on, "lab/svd-2");
  await expect(submitTo(on, "lab/svd")).rejects.toThrow(/2 requests already wait for the pool videos, and 2 may/);
  await submitTo(on, "lab/picture");
  await until(() => fleet.loads.length === 3);
  const places = fleet.loads.map(({ model, device }) => `${model.id} ${device.id}`).sort();
  expect(places).toEqual(["lab/picture cuda:0", "lab/svd cuda:1", "lab/svd-2 cuda:1"]);
  for (const { runner } of fleet.loads) fleet.becomeReady(runner);
  await until(() => fleet.runs.length === 2);
  const running = on.jobs
    .open()
    .filter(({ status }) => status === "running")
    .map((each) => String(each.model))
    .sort();
  expect(running).toEqual(["lab/picture", "lab/svd"]);
});

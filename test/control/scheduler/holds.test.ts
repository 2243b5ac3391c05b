// Where a trial of new weights takes its memory.
import { expect, test } from "bun:test";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { createHolds } from "../../../src/control/scheduler/holds.ts";
import { createResidency } from "../../../src/control/scheduler/residency.ts";
import type { DeviceFact } from "../../../src/control/scheduler/situation.ts";
import type { Settings } from "../../../src/control/settings.ts";
import type { Device } from "../../../src/core/device.ts";
import { asId, type DeviceId } from "../../../src/core/ids.ts";
import { bytes } from "../../../src/core/units.ts";
import { testModel } from "../../support/test-models.ts";

const [entry] = createCatalog({ builtIn: [testModel("acme/one")] }).list();
const memory = { pinned: [], warm: [] } as unknown as Settings["memory"]; // the parts that are read

const deviceOf = (id: string, kind: Device["kind"]): Device => ({
  ...{ id: asId<DeviceId>(id), kind, index: 0, name: id },
  memory: { total: bytes(100), free: bytes(100) },
});
const all = [deviceOf("cuda:0", "cuda"), deviceOf("cuda:1", "cuda"), deviceOf("cpu", "cpu")];
const facts: DeviceFact[] = all.map(({ id, kind }) => ({ id, kind, budget: bytes(kind === "cpu" ? 200 : 100) }));

function wish(amount: number, free: Record<string, number>, pools: Settings["pools"] = []) {
  if (!entry) throw new Error("there is one");
  let released = 0;
  const holds = createHolds({
    devices: all.map((device) => ({ device })),
    residency: createResidency({ pools, memory }),
    onReleased: () => released++,
  });
  const room = new Map(Object.entries(free).map(([id, left]) => [asId<DeviceId>(id), left]));
  const model = { ...entry.model, memory: { weights: amount, working: 0, perBatchItem: 0 } };
  const held = holds.hold({ ...entry, model }, { devices: facts, free: room });
  return { held, holds, released: () => released };
}

test("the first card with room is taken, and its budget is smaller until that is given back", () => {
  const { held, holds, released } = wish(60, { "cuda:0": 50, "cuda:1": 80, cpu: 200 });
  expect(held?.device.id as string).toBe("cuda:1");
  const budgets = () => facts.map((fact) => Number(holds.applied(fact).budget));
  expect(budgets()).toEqual([100, 40, 200]);
  held?.[Symbol.dispose]();
  expect(budgets()).toEqual([100, 100, 200]);
  expect(released()).toBe(1);
});

test("a model that runs on cards is not tried on the CPU, one that fits on none is", () => {
  expect(wish(60, { "cuda:0": 50, "cuda:1": 50, cpu: 200 }).held).toBeUndefined();
  expect(wish(150, { "cuda:0": 100, "cuda:1": 100, cpu: 200 }).held?.device.id as string).toBe("cpu");
});

test("cards that are set apart are left to their models", () => {
  const free = { "cuda:0": 100, "cuda:1": 100, cpu: 200 };
  const pool = { name: "other", models: ["acme/two"], devices: ["cuda:0"], concurrency: 0, maxQueue: 0 };
  expect(wish(60, free, [pool]).held?.device.id as string).toBe("cuda:1");
  expect(wish(60, free, [{ ...pool, models: ["acme/*"] }]).held?.device.id as string).toBe("cuda:0");
});

// A box with NVIDIA cards that are not there: devices for tests of what happens around them.
import type { Appliance } from "../../src/control/appliance.ts";
import type { Hardware } from "../../src/control/hardware/detect.ts";
import type { BoxSample } from "../../src/control/hardware/readings.ts";
import type { Device } from "../../src/core/device.ts";
import { asId, type DeviceId, type KeyId } from "../../src/core/ids.ts";
import { bytes, MIB } from "../../src/core/units.ts";
import { testDevice } from "./create-test-appliance.ts";

export function createHardware(gpus: number): { hardware: Hardware; slots: string[] } {
  const slots = Array.from({ length: gpus }, (_, at) => `0000:0${at + 1}:00.0`);
  const cards = slots.map(
    (slot, index): Device => ({
      ...{ id: asId<DeviceId>(`cuda:${index}`), kind: "cuda", index, name: "Test GPU", slot },
      memory: { total: bytes(8192 * MIB), free: bytes(8192 * MIB) },
    }),
  );
  return { hardware: { devices: [...cards, testDevice], problems: [] }, slots };
}

/** What the monitor sees: cards are there until their slots are taken out of `present`. */
export function removableCards(slots: readonly string[]) {
  const present = new Set(slots);
  const sampleBox = async (): Promise<BoxSample> => ({
    cards: new Map([...present].map((slot) => [slot, {}])),
    ...{ silent: new Set<string>(), processor: {}, processes: new Map() },
  });
  return { present, sampleBox };
}

export function submitTo({ catalog, jobs }: Pick<Appliance, "catalog" | "jobs">, id: string) {
  const entry = catalog.find(id);
  if (!entry) throw new Error(`no model ${id}`);
  const key = asId<KeyId>("key");
  return jobs.submit({ model: entry.model, endpoint: id, key, input: { prompt: "hi" }, rejectInvalid: true });
}

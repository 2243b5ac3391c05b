// The whole of control with real SQLite in a folder of its own, a fake fleet and one CPU.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Appliance, type ApplianceParts, createAppliance } from "../../src/control/appliance.ts";
import type { Hardware } from "../../src/control/hardware/detect.ts";
import { defaultSettings, type Settings } from "../../src/control/settings.ts";
import type { Device } from "../../src/core/device.ts";
import { asId, type DeviceId } from "../../src/core/ids.ts";
import { silentLog } from "../../src/core/log.ts";
import { bytes, MIB } from "../../src/core/units.ts";
import { createFakeFleet, type FakeFleet } from "./fake-fleet.ts";

export const testDevice: Device = {
  id: asId<DeviceId>("cpu"),
  kind: "cpu",
  index: 0,
  name: "Test CPU",
  memory: { total: bytes(8192 * MIB), free: bytes(8192 * MIB) },
};
export const testHardware: Hardware = { devices: [testDevice], problems: [] };

export type TestAppliance = Appliance & {
  fleet: FakeFleet;
  data: string;
  /** `id:secret` of a key with scope `api`, and of one with scope `admin`. */
  apiKey: string;
  adminKey: string;
  /** Stops it and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Started already. `settings` are changes to the defaults; `data` is made and removed unless it is given. */
export async function createTestAppliance(
  options: Partial<Omit<ApplianceParts, "settings" | "fleet">> & {
    settings?: Partial<Settings>;
    fleet?: FakeFleet;
    data?: string;
  } = {},
): Promise<TestAppliance> {
  const {
    settings,
    data: given,
    fleet = createFakeFleet(options.clock ? { clock: options.clock } : {}),
    ...parts
  } = options;
  const data = given ?? mkdtempSync(join(tmpdir(), "forecourt-test-"));
  const appliance = await createAppliance({
    log: silentLog,
    hardware: testHardware,
    ...parts,
    fleet,
    settings: { ...defaultSettings(data), ...settings, data },
  });
  await appliance.start();
  return {
    ...appliance,
    fleet,
    data,
    apiKey: appliance.keys.create({ name: "test", scope: "api" }).secret,
    adminKey: appliance.keys.create({ name: "test-admin", scope: "admin" }).secret,
    async [Symbol.asyncDispose]() {
      await appliance.stop();
      if (given === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}

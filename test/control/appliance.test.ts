// The whole of control: what a start makes, what a stop leaves, and what it refuses.
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createAppliance } from "../../src/control/appliance.ts";
import { chooseDevice, memoryBudget } from "../../src/control/choose-device.ts";
import { defaultSettings } from "../../src/control/settings.ts";
import type { Device, DeviceKind } from "../../src/core/device.ts";
import { asId, type KeyId } from "../../src/core/ids.ts";
import { silentLog } from "../../src/core/log.ts";
import { bytes, MIB } from "../../src/core/units.ts";
import { createTestAppliance, testDevice, testHardware } from "../support/create-test-appliance.ts";
import { createFakeFleet, echoAnswer } from "../support/fake-fleet.ts";
import { echoEntry } from "../support/job-board.ts";

test("a start on an empty directory makes a database and an admin key that works", async () => {
  await using appliance = await createTestAppliance();
  const { data, keys } = appliance;
  expect(readdirSync(data)).toEqual(expect.arrayContaining(["admin.key", "forecourt.sqlite", "server.pid"]));
  expect(keys.verify(readFileSync(join(data, "admin.key"), "utf8").trim()).scope).toBe("admin");
});

test("a submitted job goes all the way", async () => {
  const watching = Promise.withResolvers<void>();
  const fleet = createFakeFleet({ answer: async (...run) => watching.promise.then(() => echoAnswer(...run)) });
  await using appliance = await createTestAppliance({ fleet });
  const { jobs } = appliance;
  const submission = {
    model: echoEntry.model,
    endpoint: "forecourt/echo",
    input: { prompt: "hi" },
    rejectInvalid: true,
  };
  const { id } = await jobs.submit({ ...submission, key: asId<KeyId>("key") });
  const types: string[] = [];
  for await (const event of jobs.watch(id, AbortSignal.timeout(60_000))) {
    types.push(event.type);
    if (event.type === "started") watching.resolve();
  }
  expect(types.slice(-3)).toEqual(["started", "progress", "finished"]);
  expect(jobs.find(id)).toMatchObject({ status: "done", output: { prompt: "hi", steps: 1 }, device: "cpu" });
});

test("a second server on the same directory is refused, and the first goes on", async () => {
  await using first = await createTestAppliance();
  const second = createTestAppliance({ data: first.data });
  await expect(second).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining(first.data) });
  expect(first.keys.list().length).toBeGreaterThan(0);
});

test("after a stop the directory is free, and nothing but data is left in it", async () => {
  await using first = await createTestAppliance();
  await first.stop();
  expect(existsSync(join(first.data, "server.pid"))).toBe(false);
  await using second = await createTestAppliance({ data: first.data });
  expect(second.keys.verify(first.apiKey).name).toBe("test");
});

test("a start that fails gives the directory back", async () => {
  await using home = await createTestAppliance();
  await home.stop();
  const settings = { ...defaultSettings(home.data), data: home.data };
  const parts = { settings, log: silentLog, hardware: testHardware };
  const failing = createAppliance({ ...parts, databaseFile: "/proc/nowhere/forecourt.sqlite" });
  await expect(failing).rejects.toThrow();
  const working = await createAppliance(parts);
  await working.stop();
});

const gpu = (kind: DeviceKind): Device => ({ ...testDevice, id: asId(`${kind}:0`), kind, name: kind });
const problem = { name: "RTX 4090", reason: "There is no driver for it.", remedy: "Run apt install nvidia-driver." };

test("auto takes the first usable device, a name the first of that kind", () => {
  const hardware = { devices: [gpu("cuda"), gpu("webgpu"), testDevice], problems: [] };
  expect(chooseDevice(hardware, "auto").kind).toBe("cuda");
  expect(chooseDevice(hardware, "webgpu").kind).toBe("webgpu");
  expect(chooseDevice(hardware, "cpu").kind).toBe("cpu");
});

test("a device that is not usable is refused with the reason and what to do", () => {
  const hardware = { devices: [testDevice], problems: [problem] };
  expect(() => chooseDevice(hardware, "cuda")).toThrow(
    /cuda cannot be used. RTX 4090: There is no driver.*apt install/,
  );
  expect(() => chooseDevice({ ...hardware, problems: [] }, "cuda")).toThrow(/No such device was found/);
});

test("models may take 70 % of main memory, 90 % of a GPU's, or what the operator says", () => {
  const memory = { total: bytes(1000 * MIB), free: bytes(10) };
  const automatic = { budgetMb: 0, reserve: [] };
  expect(memoryBudget({ ...testDevice, memory }, automatic)).toBe(bytes(700 * MIB));
  expect(memoryBudget({ ...gpu("cuda"), memory }, automatic)).toBe(bytes(900 * MIB));
  expect(memoryBudget({ ...testDevice, memory }, { ...automatic, budgetMb: 5 })).toBe(bytes(5 * MIB));
  const reserve = ["cuda:0=300", "cpu=5000"];
  expect(memoryBudget({ ...gpu("cuda"), memory }, { ...automatic, reserve })).toBe(bytes(700 * MIB));
  expect(memoryBudget({ ...testDevice, memory }, { ...automatic, reserve })).toBe(bytes(0));
});

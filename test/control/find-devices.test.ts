// From found devices to those that pass a test inference, and what is remembered of it.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseDevices } from "../../src/control/choose-device.ts";
import { tryAll } from "../../src/control/find-devices.ts";
import { judge } from "../../src/control/hardware/judge.ts";
import { cudaFolder } from "../../src/control/runtimes/installed.ts";
import type { Device } from "../../src/core/device.ts";
import { oneNvidia, radeon, slicedA100, vulkan } from "./hardware/machines.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function newData(): string {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-devices-"));
  folders.push(folder);
  return folder;
}

const found = judge(oneNvidia, ["cuda", "webgpu", "cpu"]);
const settings = (data: string, device: "auto" | "webgpu" = "auto") => ({ data, device });
const ids = (devices: readonly { id: string }[]) => devices.map(({ id }) => id);

/** Attempts of which the named devices fail. */
function attempts(...failing: string[]) {
  const made: string[] = [];
  const attempt = async ({ id }: Device) => {
    made.push(id);
    if (failing.includes(id)) throw new Error("no kernel image is available");
    return 12;
  };
  return { made, attempt };
}

test("a card's best way that passes is taken; the other one is not tried", async () => {
  const { made, attempt } = attempts();
  const hardware = await tryAll(found, { settings: settings(newData()), attempt });
  expect(made).toEqual(["cuda:0"]);
  expect(hardware.trials).toEqual([expect.objectContaining({ device: "cuda:0", ms: 12, isRemembered: false })]);
  expect(ids(chooseDevices(hardware, "auto"))).toEqual(["cuda:0", "cpu"]);
  expect(hardware.problems).toEqual([]);
});

test("one that fails is named with the reason, and the next way of the same card is tried", async () => {
  const { made, attempt } = attempts("cuda:0");
  const hardware = await tryAll(found, { settings: settings(newData()), attempt });
  expect(made).toEqual(["cuda:0", "webgpu:0"]);
  expect(ids(chooseDevices(hardware, "auto"))).toEqual(["webgpu:0", "cpu"]);
  expect(hardware.problems).toMatchObject([
    { name: "NVIDIA GeForce RTX 4090 as cuda:0", reason: expect.stringMatching(/no kernel image/) },
  ]);
});

test("when every way fails the CPU is left, and both failures are told", async () => {
  const hardware = await tryAll(found, { settings: settings(newData()), ...attempts("cuda:0", "webgpu:0") });
  expect(ids(chooseDevices(hardware, "auto"))).toEqual(["cpu"]);
  expect(hardware.problems).toHaveLength(2);
  expect(() => chooseDevices(hardware, "webgpu")).toThrow(/webgpu cannot be used.*no kernel image/);
});

test("a result is remembered until the driver changes or the libraries do", async () => {
  const data = newData();
  await tryAll(found, { settings: settings(data), ...attempts() });
  const again = attempts();
  const hardware = await tryAll(found, { settings: settings(data), ...again });
  expect(again.made).toEqual([]);
  expect(hardware.trials).toMatchObject([{ device: "cuda:0", isRemembered: true }]);
  const newer = judge(
    {
      ...oneNvidia,
      nvidiaSmi: {
        type: "answered",
        stdout: "0, 00000000:01:00.0, NVIDIA GeForce RTX 4090, 24564, 23999, 560.28.03, 8.9\n",
      },
    },
    ["cuda", "cpu"],
  );
  const afterUpdate = attempts();
  await tryAll(newer, { settings: settings(data), ...afterUpdate });
  expect(afterUpdate.made).toEqual(["cuda:0"]);
  mkdirSync(cudaFolder(data), { recursive: true });
  const afterInstall = attempts();
  await tryAll(found, { settings: settings(data), ...afterInstall });
  expect(afterInstall.made).toEqual(["cuda:0"]);
});

test("a failure is remembered for an hour; who looks for the reason tries at once and writes nothing", async () => {
  const data = newData();
  const search = { settings: settings(data), now: 1_000_000 };
  await tryAll(found, { ...search, ...attempts("cuda:0") });
  const soon = attempts();
  const hardware = await tryAll(found, { ...search, now: 1_100_000, ...soon });
  expect(soon.made).toEqual([]);
  expect(ids(hardware.devices)).toEqual(["webgpu:0", "cpu"]);
  const looking = attempts();
  await tryAll(found, { ...search, trials: "made", ...looking });
  expect(looking.made).toEqual(["cuda:0"]);
  const later = attempts();
  await tryAll(found, { ...search, now: 5_000_000, ...later });
  expect(later.made).toEqual(["cuda:0"]);
});

test("another Vulkan driver is tried anew, though the card is the same", async () => {
  const data = newData();
  await tryAll(judge(radeon, ["webgpu", "cpu"]), { settings: settings(data), ...attempts() });
  const updated = { ...radeon, vulkanDrivers: [{ ...vulkan("libvulkan_radeon.so"), stamp: "2-2" }] };
  const again = attempts();
  await tryAll(judge(updated, ["webgpu", "cpu"]), { settings: settings(data), ...again });
  expect(again.made).toEqual(["webgpu:0"]);
});

test("each slice of a card is a place of its own", async () => {
  const { made, attempt } = attempts();
  const hardware = await tryAll(judge(slicedA100, ["cuda", "cpu"]), { settings: settings(newData()), attempt });
  expect(made.toSorted()).toEqual(["cuda:0", "cuda:1", "cuda:2"]);
  expect(ids(chooseDevices(hardware, "auto"))).toEqual(["cuda:0", "cuda:1", "cuda:2", "cpu"]);
});

// Live readings: what tools and the kernel print on many machines, and when a device counts as lost.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMonitor, createSampler } from "../../../src/control/hardware/monitor.ts";
import { parseCardReadings, parseMigSlices, parseProcesses } from "../../../src/control/hardware/nvidia-readings.ts";
import type { BoxSample, CardSample } from "../../../src/control/hardware/readings.ts";
import { parseAmdgpu, parseTicks, utilisationBetween } from "../../../src/control/hardware/sysfs-readings.ts";
import type { Device } from "../../../src/core/device.ts";
import { asId, type DeviceId } from "../../../src/core/ids.ts";
import { silentLog } from "../../../src/core/log.ts";
import { bytes, MIB } from "../../../src/core/units.ts";
import { createTestClock } from "../../support/test-clock.ts";

const machines: [string, string, Record<string, CardSample>][] = [
  [
    "a desktop card",
    "00000000:01:00.0, 24564, 20000, 37, 52, 110.32\n",
    {
      "0000:01:00.0": {
        memory: { total: bytes(24564 * MIB), free: bytes(20000 * MIB) },
        utilisation: 0.37,
        celsius: 52,
        watts: 110.32,
      },
    },
  ],
  [
    "two data centre cards, one of them in MIG mode, which tells no utilisation",
    "00000000:3B:00.0, 81920, 81225, 0, 31, 62.10\n00000000:D8:00.0, 81920, 60000, [N/A], 35, 80.00\n",
    {
      "0000:3b:00.0": {
        memory: { total: bytes(81920 * MIB), free: bytes(81225 * MIB) },
        utilisation: 0,
        celsius: 31,
        watts: 62.1,
      },
      "0000:d8:00.0": { memory: { total: bytes(81920 * MIB), free: bytes(60000 * MIB) }, celsius: 35, watts: 80 },
    },
  ],
  [
    "a laptop under WSL, which tells no power",
    "00000000:01:00.0, 8188, 7000, 3, 45, [Not Supported]\n",
    {
      "0000:01:00.0": { memory: { total: bytes(8188 * MIB), free: bytes(7000 * MIB) }, utilisation: 0.03, celsius: 45 },
    },
  ],
  [
    "a card that shares main memory",
    "0000000F:01:00.0, [N/A], [N/A], 12, 40, 9.5\n",
    { "000f:01:00.0": { utilisation: 0.12, celsius: 40, watts: 9.5 } },
  ],
  [
    "units although none were asked for",
    "00000000:01:00.0, 16384 MiB, 16000 MiB, 5 %, 40, 20.00 W\n",
    {
      "0000:01:00.0": {
        memory: { total: bytes(16384 * MIB), free: bytes(16000 * MIB) },
        utilisation: 0.05,
        celsius: 40,
        watts: 20,
      },
    },
  ],
  [
    "a card that fell off the bus",
    "00000000:01:00.0, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]\n",
    {},
  ],
  ["a card with an unknown error", "00000000:01:00.0, [Unknown Error], [Unknown Error], [Unknown Error], 0, 0\n", {}],
  [
    "a card that is only complained about",
    "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU\n",
    {},
  ],
  ["no driver", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", {}],
  ["nothing", "", {}],
];
test.each(machines)("nvidia-smi on %s", (_, stdout, cards) => {
  expect(Object.fromEntries(parseCardReadings(stdout))).toEqual(cards);
});

test("memory by process: summed over cards, absent where the driver hides it", () => {
  expect([...parseProcesses("812, 4000\n812, 1000\n99, 12\n")]).toEqual([
    [812, bytes(5000 * MIB)],
    [99, bytes(12 * MIB)],
  ]);
  expect([...parseProcesses("812, [N/A]\n[Insufficient Permissions], 4\n")]).toEqual([]);
});

test("MIG slices are found below their card", () => {
  const text = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 1g.5gb      Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
`;
  expect(parseMigSlices(text)).toEqual([
    { card: 0, profile: "3g.20gb", uuid: "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f" },
    { card: 0, profile: "1g.5gb", uuid: "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb" },
  ]);
  expect(parseMigSlices("GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-1)\n")).toEqual([]);
});

test("an AMD card tells memory and utilisation, an Intel one nothing", () => {
  expect(parseAmdgpu({ total: "1000\n", used: "400\n", busy: "25\n" })).toEqual({
    memory: { total: bytes(1000), free: bytes(600) },
    utilisation: 0.25,
  });
  expect(parseAmdgpu({ total: undefined, used: undefined, busy: undefined })).toEqual({});
});

test("the processor's utilisation is what was busy between two looks", () => {
  const before = parseTicks("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3 4\n");
  const after = parseTicks("cpu  150 0 100 850 100 0 0 0 0 0\n");
  expect(before).toEqual({ busy: 150, all: 1000 });
  expect(utilisationBetween(before, after)).toBe(0.5);
  expect(utilisationBetween(undefined, after)).toBeUndefined();
  expect(utilisationBetween(after, after)).toBeUndefined();
  expect(parseTicks("nonsense")).toBeUndefined();
});

const device = (id: string, kind: Device["kind"], slot?: string): Device => ({
  ...{ id: asId<DeviceId>(id), kind, index: 0, name: id, memory: { total: bytes(10), free: bytes(10) } },
  ...(slot !== undefined && { slot }),
});
const cuda = device("cuda:0", "cuda", "0000:01:00.0");
const amd = device("webgpu:0", "webgpu", "0000:03:00.0");
const cpu = device("cpu", "cpu");
const box = (slots: string[], silent: string[] = []): BoxSample => ({
  cards: new Map(slots.map((slot) => [slot, { utilisation: 0.5 }])),
  silent: new Set(silent),
  processor: {},
  processes: new Map(),
});
const both = ["0000:01:00.0", "0000:03:00.0"];

/** Looks in a row; of each, the news. */
async function newsOf(samples: BoxSample[]): Promise<string[][]> {
  let news: string[] = [];
  let sample = box(both);
  const clock = createTestClock();
  const monitor = createMonitor({
    ...{ devices: [cuda, amd, cpu], clock, timers: clock, log: silentLog },
    onLost: (id) => news.push(`lost ${id}`),
    onBack: (id) => news.push(`back ${id}`),
    onProcesses() {},
    sample: async () => sample,
  });
  const all: string[][] = [];
  for (sample of samples) {
    news = [];
    await monitor.look();
    all.push(news);
  }
  return all;
}

test("a card that the tool no longer lists is lost at once, and back when it is listed again", async () => {
  expect(await newsOf([box(both), box([both[1] ?? ""]), box([both[1] ?? ""]), box(both)])).toEqual([
    [],
    ["lost cuda:0"],
    [],
    ["back cuda:0"],
  ]);
  expect(await newsOf([box(both), box([both[0] ?? ""])])).toEqual([[], ["lost webgpu:0"]]);
});

test("a tool that is silent once says nothing of its cards, one that stays silent has lost them", async () => {
  const silent = box(["0000:03:00.0"], ["nvidia"]);
  expect(await newsOf([silent, silent, box(both), silent, silent, silent])).toEqual([
    [],
    [],
    [],
    [],
    [],
    ["lost cuda:0"],
  ]);
  expect(await newsOf([silent, silent, silent, silent, box(both)])).toEqual([
    [],
    [],
    ["lost cuda:0"],
    [],
    ["back cuda:0"],
  ]);
});

test("the sampler reads the tool and the kernel's files of this very moment", async () => {
  const root = mkdtempSync(join(tmpdir(), "forecourt-box-"));
  try {
    const slot = join(root, "sys/bus/pci/devices/0000:03:00.0");
    mkdirSync(slot, { recursive: true });
    writeFileSync(join(slot, "gpu_busy_percent"), "40\n");
    const smi = join(root, "nvidia-smi");
    writeFileSync(
      smi,
      `#!/bin/sh\ncase "$1" in *compute-apps*) echo "7, 100";; *) echo "00000000:01:00.0, 100, 60, 5, 1, 2.0";; esac\n`,
      { mode: 0o755 },
    );
    const sample = createSampler([cuda, amd, cpu], { root, smiCommand: smi });
    const seen = await sample();
    expect(seen.cards.get("0000:01:00.0")).toMatchObject({ memory: { free: bytes(60 * MIB) } });
    expect(seen.cards.get("0000:03:00.0")).toEqual({ utilisation: 0.4 });
    expect(seen.processes.get(7)).toBe(bytes(100 * MIB));
    rmSync(slot, { recursive: true });
    writeFileSync(smi, "#!/bin/sh\necho driver gone >&2; exit 9\n");
    const after = await sample();
    expect([...after.cards.keys()]).toEqual([]);
    expect([...after.silent]).toEqual(["nvidia"]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

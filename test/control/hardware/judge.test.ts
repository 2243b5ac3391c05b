// Verdicts over captured machines.
import { describe, expect, test } from "bun:test";
import { judge } from "../../../src/control/hardware/judge.ts";
import {
  bare,
  cardWithoutDriver,
  driverWithoutCard,
  hangingDriver,
  mismatchedDriver,
  oneNvidia,
  radeon,
  slicedA100,
  twoNvidia,
  vulkan,
} from "./machines.ts";

const all = ["cuda", "webgpu", "cpu"] as const;
const ids = (devices: { id: string }[]) => devices.map(({ id }) => id);

describe("with every provider present", () => {
  test("a machine without cards has the CPU only, and nothing to complain about", () => {
    const { devices, problems } = judge(bare, all);
    expect(devices).toMatchObject([
      { id: "cpu", name: "AMD EPYC 7B13 (16 threads)", memory: { total: 64 * 1024 ** 3 } },
    ]);
    expect(problems).toEqual([]);
  });

  test("an NVIDIA card with Vulkan is a CUDA and a WebGPU device, best first", () => {
    const { devices, problems } = judge(oneNvidia, all);
    expect(ids(devices)).toEqual(["cuda:0", "webgpu:0", "cpu"]);
    expect(devices[0]).toMatchObject({
      name: "NVIDIA GeForce RTX 4090",
      driver: "550.54.14",
      memory: { total: 24564 * 1024 ** 2, free: 23999 * 1024 ** 2 },
    });
    expect(problems).toEqual([]);
  });

  test("two cards are numbered, and the server's management screen is not a device", () => {
    const { devices, problems } = judge(twoNvidia, all);
    expect(ids(devices)).toEqual(["cuda:0", "cuda:1", "cpu"]);
    expect(devices.map(({ index }) => index)).toEqual([0, 1, 0]);
    expect(problems).toEqual([]);
  });

  test("an AMD card runs through Vulkan with the memory that its driver tells", () => {
    const { devices } = judge(radeon, all);
    expect(devices[0]).toMatchObject({ id: "webgpu:0", driver: "amdgpu", memory: { total: 24 * 1024 ** 3 } });
  });

  test("a card that only fell off nvidia-smi's list is named beside the working one", () => {
    const answer = {
      type: "answered",
      stdout: twoNvidia.nvidiaSmi?.type === "answered" ? (twoNvidia.nvidiaSmi.stdout.split("\n")[0] ?? "") : "",
    } as const;
    const { devices, problems } = judge({ ...twoNvidia, nvidiaSmi: answer }, all);
    expect(ids(devices)).toEqual(["cuda:0", "cpu"]);
    expect(problems).toMatchObject([
      { name: "NVIDIA card 20b5 at 0000:d8:00.0", reason: expect.stringMatching(/does not list this card/) },
    ]);
  });
});

describe("cards that stay idle", () => {
  const problem = (evidence: typeof bare) => {
    const { devices, problems } = judge(evidence, all);
    expect(ids(devices)).toEqual(["cpu"]);
    expect(problems).toHaveLength(1);
    return problems[0];
  };

  test("driver and tools of two versions: reboot", () => {
    expect(problem(mismatchedDriver)).toMatchObject({
      reason: "nvidia-smi failed (exit code 18): Failed to initialize NVML: Driver/library version mismatch",
      remedy: expect.stringMatching(/^reboot/),
    });
  });

  test("a hanging driver", () => {
    expect(problem(hangingDriver)).toMatchObject({
      reason: expect.stringMatching(/no answer within 5 s/),
      remedy: expect.stringMatching(/Xid/),
    });
  });

  test("a card held by nouveau: install the driver", () => {
    expect(problem(cardWithoutDriver)).toMatchObject({
      name: expect.stringMatching(/10de|NVIDIA/),
      reason: expect.stringMatching(/nouveau/),
      remedy: expect.stringMatching(/nvidia-driver/),
    });
  });

  test("a driver without a card", () => {
    expect(problem(driverWithoutCard)).toMatchObject({
      name: "NVIDIA driver 550.54.14",
      reason: expect.stringMatching(/sees no card/),
    });
  });

  test("a container with the driver's /proc but without its tools", () => {
    expect(problem({ ...oneNvidia, nvidiaSmi: { type: "missing" } })).toMatchObject({
      remedy: expect.stringMatching(/--gpus all/),
    });
  });

  test("an AMD card without its Vulkan driver, though a software one is there", () => {
    expect(problem({ ...radeon, vulkanDrivers: [vulkan("libvulkan_lvp.so")] })).toMatchObject({
      reason: "no Vulkan driver for AMD is installed",
      remedy: expect.stringMatching(/mesa-vulkan-drivers/),
    });
  });

  test("an AMD card whose render node is shut to this user: join the group", () => {
    expect(problem({ ...radeon, renderNodes: [{ path: "/dev/dri/renderD128", isOpen: false }] })).toMatchObject({
      reason: "this user may not open /dev/dri/renderD128",
      remedy: expect.stringMatching(/usermod -aG render/),
    });
  });
});

test("a working card without a provider is reported once, not used silently nor dropped silently", () => {
  const { devices, problems } = judge(oneNvidia, ["cpu"]);
  expect(ids(devices)).toEqual(["cpu"]);
  expect(problems).toMatchObject([
    { name: "NVIDIA GeForce RTX 4090", reason: expect.stringMatching(/libraries are not installed: it stays idle/) },
  ]);
});

test("a card whose best way is not provided is used in the next one, and that is said", () => {
  const { devices, problems } = judge(oneNvidia, ["webgpu", "cpu"]);
  expect(ids(devices)).toEqual(["webgpu:0", "cpu"]);
  expect(problems).toMatchObject([
    { reason: expect.stringMatching(/used through WebGPU/), remedy: expect.stringMatching(/runtime install cuda/) },
  ]);
});

test("a card that is cut into slices is as many CUDA devices, each by its own name for CUDA", () => {
  const { devices, problems } = judge(slicedA100, all);
  expect(ids(devices)).toEqual(["cuda:0", "cuda:1", "cuda:2", "cpu"]);
  expect(devices[0]).toMatchObject({
    name: "NVIDIA A100 80GB PCIe MIG 3g.40gb",
    uuid: "MIG-c7384736-a75d-5afc-978f-d2f1294409fd",
    memory: { total: 40e9 },
  });
  expect(devices[2]).toMatchObject({ name: "NVIDIA A100 80GB PCIe", uuid: "GPU-1" });
  expect(problems).toEqual([]);
});

test("a Vulkan driver in software is a device of its own, marked as such", () => {
  const { devices, problems } = judge(
    { ...bare, vulkanLoader: "/usr/lib64/libvulkan.so.1", vulkanDrivers: [vulkan("libvk_swiftshader.so")] },
    all,
  );
  expect(devices[0]).toMatchObject({ id: "webgpu:0", isSoftware: true });
  expect(problems).toEqual([]);
});

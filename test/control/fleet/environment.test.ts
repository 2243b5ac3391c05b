import { expect, test } from "bun:test";
import { environmentOf } from "../../../src/control/fleet/environment.ts";
import { judge } from "../../../src/control/hardware/judge.ts";
import { radeon, slicedA100, twoNvidia } from "../hardware/machines.ts";

const devicesOf = (evidence: Parameters<typeof judge>[0]) => judge(evidence, ["cuda", "webgpu", "cpu"]).devices;

test("a runner sees its own card and no other, by CUDA's name for it where there is one", () => {
  const [first, second, cpu] = devicesOf(twoNvidia).map((device) => environmentOf(device, "/data/runtime/cuda-1"));
  expect(first?.CUDA_VISIBLE_DEVICES).toBe("0");
  expect(second).toEqual({
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    CUDA_VISIBLE_DEVICES: "1",
    LD_LIBRARY_PATH: "/data/runtime/cuda-1",
  });
  expect(cpu).toEqual({ CUDA_VISIBLE_DEVICES: "" });
  expect(devicesOf(slicedA100).map((device) => environmentOf(device, undefined).CUDA_VISIBLE_DEVICES)).toEqual([
    "MIG-c7384736-a75d-5afc-978f-d2f1294409fd",
    "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d",
    "GPU-1",
    "",
  ]);
});

test("a WebGPU runner is given the one Vulkan driver of its card", () => {
  const [device] = devicesOf(radeon);
  const manifest = "/usr/share/vulkan/icd.d/libvulkan_radeon.so.json";
  expect(device && environmentOf(device, undefined)).toMatchObject({
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest,
  });
});

// Machines as evidence: outputs of nvidia-smi and facts of /proc and /sys as such machines show them.
import type { Evidence, VulkanDriver } from "../../../src/control/hardware/evidence.ts";

const GIB = 1024 ** 3;

export const vulkan = (library: string): VulkanDriver => ({
  ...{ manifest: `/usr/share/vulkan/icd.d/${library}.json`, library, stamp: "1-1" },
});

export const bare: Evidence = {
  cpu: { name: "AMD EPYC 7B13", threads: 16, totalBytes: 64 * GIB, freeBytes: 60 * GIB },
  cards: [],
  vulkanDrivers: [],
  renderNodes: [],
};

export const oneNvidia: Evidence = {
  ...bare,
  cards: [{ slot: "0000:01:00.0", vendor: "10de", device: "2684", driver: "nvidia" }],
  nvidiaDriver: "550.54.14",
  nvidiaSmi: {
    type: "answered",
    stdout: "0, 00000000:01:00.0, NVIDIA GeForce RTX 4090, 24564, 23999, 550.54.14, 8.9\n",
  },
  vulkanLoader: "/usr/lib/x86_64-linux-gnu/libvulkan.so.1",
  vulkanDrivers: [vulkan("libGLX_nvidia.so.0")],
  renderNodes: [{ path: "/dev/dri/renderD128", isOpen: true }],
};

export const twoNvidia: Evidence = {
  ...bare,
  cards: [
    { slot: "0000:3b:00.0", vendor: "10de", device: "20b5", driver: "nvidia" },
    { slot: "0000:d8:00.0", vendor: "10de", device: "20b5", driver: "nvidia" },
    { slot: "0000:03:00.0", vendor: "1a03", device: "2000", driver: "ast" },
  ],
  nvidiaDriver: "535.161.08",
  nvidiaSmi: {
    type: "answered",
    stdout:
      "0, 00000000:3B:00.0, NVIDIA A100 80GB PCIe, 81920, 81225, 535.161.08, 8.0\n" +
      "1, 00000000:D8:00.0, NVIDIA A100 80GB PCIe, 81920, 2048, 535.161.08, 8.0\n",
  },
};

export const mismatchedDriver: Evidence = {
  ...oneNvidia,
  nvidiaSmi: {
    type: "failed",
    exitCode: 18,
    output: "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.90",
  },
};

export const hangingDriver: Evidence = { ...oneNvidia, nvidiaSmi: { type: "timed-out", afterMs: 5000 } };

export const cardWithoutDriver: Evidence = {
  ...bare,
  cards: [{ slot: "0000:01:00.0", vendor: "10de", device: "2684", driver: "nouveau" }],
  nvidiaSmi: { type: "missing" },
};

export const driverWithoutCard: Evidence = {
  ...bare,
  nvidiaDriver: "550.54.14",
  nvidiaSmi: { type: "failed", exitCode: 6, output: "No devices were found" },
};

export const radeon: Evidence = {
  ...bare,
  cards: [
    {
      slot: "0000:03:00.0",
      vendor: "1002",
      device: "744c",
      driver: "amdgpu",
      memory: { totalBytes: 24 * GIB, freeBytes: 23 * GIB },
    },
  ],
  vulkanLoader: "/usr/lib64/libvulkan.so.1",
  vulkanDrivers: [vulkan("libvulkan_radeon.so"), vulkan("libvulkan_lvp.so")],
  renderNodes: [{ path: "/dev/dri/renderD128", isOpen: true }],
};

/** Two cards, the first of them in two slices; the outputs of `nvidia-smi` and `nvidia-smi -L`. */
export const slicedA100: Evidence = {
  ...twoNvidia,
  nvidiaSmi: {
    type: "answered",
    stdout:
      "0, 00000000:3B:00.0, NVIDIA A100 80GB PCIe, 81920, 81225, 535.161.08, 8.0, GPU-0\n" +
      "1, 00000000:D8:00.0, NVIDIA A100 80GB PCIe, 81920, 2048, 535.161.08, 8.0, GPU-1\n",
  },
  nvidiaList: {
    type: "answered",
    stdout:
      "GPU 0: NVIDIA A100 80GB PCIe (UUID: GPU-0)\n" +
      "  MIG 3g.40gb     Device  0: (UUID: MIG-c7384736-a75d-5afc-978f-d2f1294409fd)\n" +
      "  MIG 2g.20gb     Device  1: (UUID: MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d)\n" +
      "GPU 1: NVIDIA A100 80GB PCIe (UUID: GPU-1)\n",
  },
};

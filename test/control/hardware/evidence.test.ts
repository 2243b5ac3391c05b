// Reading a machine from a file tree laid out as Linux lays out /proc, /sys, /dev and /usr.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gatherEvidence } from "../../../src/control/hardware/evidence.ts";

const machines = mkdtempSync(join(tmpdir(), "forecourt-machines-"));
afterAll(() => rmSync(machines, { recursive: true }));

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(machines, "machine-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const slot = (name: string, fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).map(([file, text]) => [`sys/bus/pci/devices/${name}/${file}`, text]));

test("an empty tree is a machine with a CPU and nothing else, and nvidia-smi is not asked", async () => {
  const evidence = await gatherEvidence({ root: tree({}), smiCommand: "/nonexistent" });
  expect(evidence).toMatchObject({ cards: [], vulkanDrivers: [], renderNodes: [] });
  expect(evidence.nvidiaSmi).toBeUndefined();
  expect(evidence.cpu.threads).toBeGreaterThan(0);
  expect(evidence.cpu.totalBytes).toBeGreaterThanOrEqual(evidence.cpu.freeBytes);
});

test("display controllers are found with driver and memory; other PCI devices are not cards", async () => {
  const root = tree({
    ...slot("0000:00:1f.6", { class: "0x020000\n", vendor: "0x8086\n", device: "0x15fb\n", uevent: "DRIVER=e1000e\n" }),
    ...slot("0000:03:00.0", {
      class: "0x030000\n",
      vendor: "0x1002\n",
      device: "0x744C\n",
      uevent: "DRIVER=amdgpu\nPCI_CLASS=30000\n",
      mem_info_vram_total: "25753026560\n",
      mem_info_vram_used: "1000000000\n",
    }),
    "dev/dri/renderD128": "",
    "dev/dri/card0": "",
    "usr/lib64/libvulkan.so.1": "",
    "usr/share/vulkan/icd.d/radeon_icd.x86_64.json":
      '{"ICD": {"api_version": "1.3.274", "library_path": "/usr/lib64/libvulkan_radeon.so"}}',
  });
  const evidence = await gatherEvidence({ root, smiCommand: "/nonexistent" });
  expect(evidence.cards).toEqual([
    {
      slot: "0000:03:00.0",
      vendor: "1002",
      device: "744c",
      driver: "amdgpu",
      memory: { totalBytes: 25753026560, freeBytes: 24753026560 },
    },
  ]);
  expect(evidence.vulkanLoader).toBe(join(root, "usr/lib64/libvulkan.so.1"));
  expect(evidence.vulkanDrivers).toMatchObject([{ library: "libvulkan_radeon.so" }]);
  expect(evidence.renderNodes).toEqual([{ path: join(root, "dev/dri/renderD128"), isOpen: true }]);
});

test("a loaded NVIDIA driver gives its version, and nvidia-smi is asked even without a card on the bus", async () => {
  const root = tree({
    "proc/driver/nvidia/version":
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version:  gcc version 11.4.0\n",
  });
  const evidence = await gatherEvidence({ root, smiCommand: "/nonexistent" });
  expect(evidence.nvidiaDriver).toBe("550.54.14");
  expect(evidence.nvidiaSmi).toEqual({ type: "missing" });
});

test("a display controller of an NVIDIA card alone makes nvidia-smi be asked", async () => {
  const root = tree(slot("0000:01:00.0", { class: "0x030200\n", vendor: "0x10de\n", device: "0x2330\n", uevent: "" }));
  const evidence = await gatherEvidence({ root, smiCommand: "/nonexistent" });
  expect(evidence.cards).toEqual([{ slot: "0000:01:00.0", vendor: "10de", device: "2330" }]);
  expect(evidence.nvidiaSmi).toEqual({ type: "missing" });
});

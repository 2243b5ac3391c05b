// The facts about a machine that the verdicts are drawn from: read once, from files and nvidia-smi.
import { access, constants, readdir, readFile, stat } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { askNvidiaSmi, listNvidia, type SmiAnswer } from "./nvidia-smi.ts";

/** A display controller on the PCI bus. Ids are four hex digits, e.g. vendor `10de`. */
export type PciCard = {
  slot: string;
  vendor: string;
  device: string;
  /** The kernel driver bound to it. */
  driver?: string;
  /** Its own memory, where the driver tells (amdgpu). */
  memory?: { totalBytes: number; freeBytes: number };
};

/** A driver as Vulkan's loader finds it. */
export type VulkanDriver = {
  /** The file that names it. */
  manifest: string;
  /** File name of its library, e.g. `libvulkan_radeon.so`. */
  library: string;
  /** Size and time of the library, where it lies beside its manifest or is named by its path: a new one is another driver. */
  stamp: string;
};

export type Evidence = {
  cpu: { name: string; threads: number; totalBytes: number; freeBytes: number };
  cards: PciCard[];
  /** Version of the loaded NVIDIA kernel driver. */
  nvidiaDriver?: string;
  /** Absent where neither an NVIDIA card nor its driver was found, so that nothing was asked. */
  nvidiaSmi?: SmiAnswer;
  /** Its list of cards with their slices (`nvidia-smi -L`). */
  nvidiaList?: SmiAnswer;
  /** Where the Vulkan loader lies. */
  vulkanLoader?: string;
  vulkanDrivers: VulkanDriver[];
  /** DRM render nodes and whether this user may open them. */
  renderNodes: { path: string; isOpen: boolean }[];
};

/** Class codes 0x0300xx (VGA), 0x0302xx (3D, no display) and 0x0380xx of the PCI specification. */
const DISPLAY_CLASS = /^0x03/;
const LIBRARY_FOLDERS = [
  "usr/lib/x86_64-linux-gnu",
  "usr/lib/aarch64-linux-gnu",
  "usr/lib64",
  "usr/lib",
  "usr/local/lib",
  "usr/local/lib64",
];
/** The loader's search path (Vulkan-Loader, "Linux Driver Discovery"), system part. */
const DRIVER_FOLDERS = ["usr/local/etc", "usr/local/share", "etc", "usr/share"].map((each) => `${each}/vulkan/icd.d`);

/**
 * `vulkanManifests` are those that count instead of the installed ones, where the operator named some (VK_DRIVER_FILES).
 * `root` and `smiCommand` are for tests: another file tree, another program.
 */
export async function gatherEvidence({
  root = "/",
  smiCommand = "nvidia-smi",
  vulkanManifests = [] as readonly string[],
} = {}): Promise<Evidence> {
  const [cards, nvidiaDriver, vulkanLoader, vulkanDrivers, renderNodes] = await Promise.all([
    readPciCards(join(root, "sys/bus/pci/devices")),
    readNvidiaDriver(join(root, "proc/driver/nvidia/version")),
    findVulkanLoader(root),
    readVulkanDrivers(root, vulkanManifests),
    readRenderNodes(join(root, "dev/dri")),
  ]);
  const hasNvidia = nvidiaDriver !== undefined || cards.some(({ vendor }) => vendor === "10de");
  return {
    cpu: {
      name: cpus()[0]?.model.trim() || process.arch,
      threads: cpus().length,
      totalBytes: Math.min(process.constrainedMemory() || totalmem(), totalmem()),
      freeBytes: process.availableMemory(),
    },
    cards,
    ...(nvidiaDriver !== undefined && { nvidiaDriver }),
    ...(hasNvidia && (await askNvidia(smiCommand))),
    ...(vulkanLoader !== undefined && { vulkanLoader }),
    vulkanDrivers,
    renderNodes,
  };
}

async function askNvidia(command: string): Promise<Pick<Evidence, "nvidiaSmi" | "nvidiaList">> {
  const [nvidiaSmi, nvidiaList] = await Promise.all([askNvidiaSmi(command), listNvidia(command)]);
  return { nvidiaSmi, nvidiaList };
}

async function readPciCards(folder: string): Promise<PciCard[]> {
  const cards = await Promise.all(
    (await list(folder)).map(async (slot): Promise<PciCard | undefined> => {
      const field = (name: string) => read(join(folder, slot, name));
      const [kind, vendor, device, uevent, vramTotal, vramUsed] = await Promise.all(
        ["class", "vendor", "device", "uevent", "mem_info_vram_total", "mem_info_vram_used"].map(field),
      );
      if (!kind || !vendor || !device || !DISPLAY_CLASS.test(kind)) return undefined;
      const driver = /^DRIVER=(.+)$/m.exec(uevent ?? "")?.[1];
      const total = Number(vramTotal ?? 0);
      return {
        slot,
        vendor: hexDigits(vendor),
        device: hexDigits(device),
        ...(driver !== undefined && { driver }),
        ...(total > 0 && { memory: { totalBytes: total, freeBytes: total - Number(vramUsed ?? 0) } }),
      };
    }),
  );
  return cards.filter((card) => card !== undefined);
}

const hexDigits = (text: string) => text.trim().replace(/^0x/, "").toLowerCase();

/** First line: `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 ...` */
async function readNvidiaDriver(file: string): Promise<string | undefined> {
  const text = await read(file);
  return text === undefined ? undefined : (/\b(\d{3,}\.\d+(?:\.\d+)?)\b/.exec(text)?.[1] ?? "unknown");
}

async function findVulkanLoader(root: string): Promise<string | undefined> {
  for (const folder of LIBRARY_FOLDERS) {
    const path = join(root, folder, "libvulkan.so.1");
    if (await may(path, constants.F_OK)) return path;
  }
  return undefined;
}

async function readVulkanDrivers(root: string, named: readonly string[]): Promise<VulkanDriver[]> {
  const installed = DRIVER_FOLDERS.map(async (folder) =>
    (await list(join(root, folder))).filter((name) => name.endsWith(".json")).map((name) => join(root, folder, name)),
  );
  const manifests = named.length > 0 ? named : (await Promise.all(installed)).flat();
  return (await Promise.all(manifests.map(readVulkanDriver))).filter((driver) => driver !== undefined);
}

/** A manifest names its library as `ICD.library_path`: a path, one from the manifest's own folder, or a bare file name. */
async function readVulkanDriver(manifest: string): Promise<VulkanDriver | undefined> {
  const path = /"library_path"\s*:\s*"([^"]+)"/.exec((await read(manifest)) ?? "")?.[1];
  if (path === undefined) return undefined;
  const file = await stat(resolve(dirname(manifest), path)).catch(() => undefined);
  return { manifest, library: basename(path), stamp: file ? `${file.size}-${Math.round(file.mtimeMs)}` : "" };
}

async function readRenderNodes(folder: string): Promise<Evidence["renderNodes"]> {
  const names = (await list(folder)).filter((name) => name.startsWith("renderD"));
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { path, isOpen: await may(path, constants.R_OK | constants.W_OK) };
    }),
  );
}

/** What is absent or not ours to read is no evidence: that is an answer here, not a failure. */
const read = (path: string) => readFile(path, "utf8").catch(() => undefined);
const list = async (folder: string) => (await readdir(folder).catch(() => [])).toSorted();
const may = (path: string, mode: number) =>
  access(path, mode).then(
    () => true,
    () => false,
  );

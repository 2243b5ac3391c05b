// What AMD and Intel cards can do here: WebGPU through Mesa's or the vendor's Vulkan driver, else the reason. Pure.
import { bytes } from "../../core/units.ts";
import type { CardVerdict, Obstacle } from "./card.ts";
import type { Evidence, PciCard } from "./evidence.ts";

type Vendor = { name: string; library: RegExp };

/** By PCI vendor id. Other display controllers (server management chips, virtual screens) cannot compute. */
const vendors: Record<string, Vendor> = {
  "1002": { name: "AMD", library: /^(libvulkan_radeon|amdvlk)/ },
  "8086": { name: "Intel", library: /^libvulkan_intel/ },
};

export function judgeOpenDrivers(evidence: Evidence): CardVerdict[] {
  return evidence.cards.flatMap((card) => {
    const vendor = vendors[card.vendor];
    return vendor ? [judgeCard(card, vendor, evidence)] : [];
  });
}

function judgeCard({ slot, device, driver, memory }: PciCard, vendor: Vendor, evidence: Evidence): CardVerdict {
  const name = `${vendor.name} card ${device} at ${slot}`;
  const obstacle = obstacleOf(vendor, driver, evidence);
  if (obstacle) return { name, ways: [], obstacle };
  const vulkan = evidence.vulkanDrivers.find(({ library }) => vendor.library.test(library));
  const { totalBytes = 0, freeBytes = 0 } = memory ?? {};
  return {
    name,
    ways: [
      {
        kind: "webgpu",
        name,
        slot,
        memory: { total: bytes(totalBytes), free: bytes(freeBytes) },
        ...(driver !== undefined && { driver }),
        ...(vulkan && { vulkan }),
      },
    ],
  };
}

function obstacleOf(vendor: Vendor, driver: string | undefined, evidence: Evidence): Obstacle | undefined {
  if (driver === undefined || evidence.renderNodes.length === 0) {
    return {
      reason: "no kernel driver serves it",
      remedy:
        "install the firmware package (Debian: `sudo apt install firmware-misc-nonfree firmware-amd-graphics`) and reboot; in a container, pass `--device /dev/dri`",
    };
  }
  const shut = evidence.renderNodes.filter(({ isOpen }) => !isOpen);
  if (shut.length === evidence.renderNodes.length) {
    return {
      reason: `this user may not open ${shut.map(({ path }) => path).join(", ")}`,
      remedy: "`sudo usermod -aG render $USER`, then log in again",
    };
  }
  if (
    evidence.vulkanLoader === undefined ||
    !evidence.vulkanDrivers.some(({ library }) => vendor.library.test(library))
  ) {
    return {
      reason:
        evidence.vulkanLoader === undefined
          ? "Vulkan is not installed"
          : `no Vulkan driver for ${vendor.name} is installed`,
      remedy:
        "`sudo apt install libvulkan1 mesa-vulkan-drivers` (Fedora: `sudo dnf install vulkan-loader mesa-vulkan-drivers`)",
    };
  }
  return undefined;
}

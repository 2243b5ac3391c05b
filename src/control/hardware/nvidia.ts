// What NVIDIA cards can do here: CUDA where the driver answers, Vulkan beside it, else the reason. Pure.
import { bytes } from "../../core/units.ts";
import type { CardVerdict, Obstacle, Way } from "./card.ts";
import type { Evidence } from "./evidence.ts";
import { parseMigSlices } from "./nvidia-readings.ts";
import { type NvidiaCard, parseNvidiaSmi, type SmiAnswer } from "./nvidia-smi.ts";

const NVIDIA_VENDOR = "10de";
const VULKAN_LIBRARY = /^lib(GLX|EGL)_nvidia\b/;

export function judgeNvidia(evidence: Evidence): CardVerdict[] {
  const onBus = evidence.cards.filter(({ vendor }) => vendor === NVIDIA_VENDOR);
  const answer = evidence.nvidiaSmi;
  const working = answer?.type === "answered" ? parseNvidiaSmi(answer.stdout) : [];
  const silent = onBus.filter(({ slot }) => !working.some((card) => card.slot === slot));
  const verdicts = working.flatMap((card): CardVerdict[] => {
    const slices = slicesOf(card, evidence);
    return slices.length > 0 ? slices : [{ name: card.name, ways: waysOf(card, evidence) }];
  });
  const idle = silent.map(({ slot, device, driver }) => ({
    name: `NVIDIA card ${device} at ${slot}`,
    ways: [],
    obstacle: obstacleOf(evidence, driver),
  }));
  const hasDriverOnly = evidence.nvidiaDriver !== undefined && working.length === 0 && onBus.length === 0;
  return hasDriverOnly ? [driverWithoutCard(evidence)] : [...verdicts, ...idle];
}

function waysOf({ name, memory, driver, slot, uuid }: NvidiaCard, { vulkanLoader, vulkanDrivers }: Evidence): Way[] {
  const card = { name, memory, driver, slot, ...(uuid !== undefined && { uuid }) };
  const vulkan =
    vulkanLoader === undefined ? undefined : vulkanDrivers.find((each) => VULKAN_LIBRARY.test(each.library));
  return [{ kind: "cuda", ...card }, ...(vulkan ? [{ kind: "webgpu" as const, ...card, vulkan }] : [])];
}

/**
 * A card that is cut into slices (MIG) is as many devices, for CUDA alone: the whole of it is none. A profile's
 * gigabytes are a little less than what the slice has.
 */
function slicesOf({ index, name, driver, slot }: NvidiaCard, { nvidiaList }: Evidence): CardVerdict[] {
  const slices = nvidiaList?.type === "answered" ? parseMigSlices(nvidiaList.stdout) : [];
  return slices
    .filter(({ card }) => card === index)
    .map(({ profile, uuid }) => {
      const size = bytes(Number(/(\d+)gb/.exec(profile)?.[1] ?? 0) * 1e9);
      const slice = { name: `${name} MIG ${profile}`, driver, slot, uuid, slice: profile };
      return { name: slice.name, ways: [{ kind: "cuda", ...slice, memory: { total: size, free: size } }] };
    });
}

/** Why a card on the bus does not show up in nvidia-smi. */
function obstacleOf({ nvidiaDriver, nvidiaSmi }: Evidence, boundDriver: string | undefined): Obstacle {
  if (boundDriver === "nouveau") {
    return { reason: "the nouveau driver holds it, which cannot compute", remedy: INSTALL_DRIVER };
  }
  if (boundDriver === "vfio-pci") {
    return {
      reason: "it is handed to a virtual machine (driver vfio-pci)",
      remedy: "use it inside that machine, or bind it to the nvidia driver again",
    };
  }
  if (nvidiaDriver === undefined) return { reason: "no NVIDIA driver is loaded", remedy: INSTALL_DRIVER };
  if (nvidiaSmi === undefined || nvidiaSmi.type === "answered") {
    return {
      reason: `driver ${nvidiaDriver} is loaded but does not list this card`,
      remedy: "look for `NVRM` lines in `sudo dmesg`; the card may be unsupported, unpowered or broken",
    };
  }
  return smiObstacle(nvidiaSmi, nvidiaDriver);
}

const INSTALL_DRIVER =
  "install NVIDIA's driver and reboot (Ubuntu: `sudo ubuntu-drivers install`; Debian: `sudo apt install nvidia-driver`)";
const REBOOT = "reboot, so that the loaded driver and its tools are of one version again";

function smiObstacle(answer: Exclude<SmiAnswer, { type: "answered" }>, driver: string): Obstacle {
  switch (answer.type) {
    case "missing":
      return {
        reason: `driver ${driver} is loaded but nvidia-smi is not installed`,
        remedy:
          "install the driver's tools (package nvidia-utils or nvidia-smi); in a container, start it with `--gpus all`",
      };
    case "timed-out":
      return {
        reason: `nvidia-smi gave no answer within ${answer.afterMs / 1000} s: the driver hangs`,
        remedy: "reboot; if it comes back, look for `Xid` lines in `sudo dmesg`",
      };
    case "failed":
      return {
        reason: `nvidia-smi failed (exit code ${answer.exitCode}): ${firstSentence(answer.output)}`,
        remedy: /version mismatch/i.test(answer.output)
          ? REBOOT
          : "run `nvidia-smi` by hand, and `sudo dmesg | grep NVRM`; often a reboot or a driver reinstall mends it",
      };
  }
}

const firstSentence = (output: string) =>
  output
    .split(/\n|(?<=\.)\s/)[0]
    ?.trim()
    .replace(/\.$/, "") || "no output";

function driverWithoutCard({ nvidiaDriver, nvidiaSmi }: Evidence): CardVerdict {
  const isAnswered = nvidiaSmi === undefined || nvidiaSmi.type === "answered";
  const isEmpty = isAnswered || (nvidiaSmi.type === "failed" && /no devices/i.test(nvidiaSmi.output));
  return {
    name: `NVIDIA driver ${nvidiaDriver}`,
    ways: [],
    obstacle: isEmpty
      ? {
          reason: "it is loaded but sees no card",
          remedy: "seat the card, enable it in the firmware, or hand it to this machine or container (`--gpus all`)",
        }
      : smiObstacle(nvidiaSmi, nvidiaDriver ?? "unknown"),
  };
}

// What this box has: one entry a usable device, the CPU always last; and every card that stays idle, with the reason.
import type { DeviceKind } from "../../core/device.ts";
import type { Hardware } from "./card.ts";
import { gatherEvidence } from "./evidence.ts";
import { judge } from "./judge.ts";

export type { DeviceProblem, Hardware } from "./card.ts";

export type Looking = {
  /** Kinds of device that there is an execution provider for; other cards are reported as problems. */
  provided: readonly DeviceKind[];
  /** Vulkan drivers that count instead of the installed ones. */
  vulkanManifests?: readonly string[];
};

/**
 * Looks at the machine. Reads /proc, /sys and Vulkan's driver list, and asks `nvidia-smi` where an NVIDIA card or driver
 * is present; that tool gets five seconds, so a hanging driver delays but never blocks. Does not throw.
 */
export const detect = async ({ provided, ...where }: Looking): Promise<Hardware> =>
  judge(await gatherEvidence(where), provided);

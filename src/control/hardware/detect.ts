// What this box has: one entry a usable device, the CPU always last; and every card that stays idle, with the reason.
import type { DeviceKind } from "../../core/device.ts";
import type { Hardware } from "./card.ts";
import { gatherEvidence } from "./evidence.ts";
import { judge } from "./judge.ts";

export type { DeviceProblem, Hardware } from "./card.ts";

/** Kinds of device that this version has an execution provider for; other cards are reported as problems. */
export const providedKinds: readonly DeviceKind[] = ["cpu"];

/**
 * Looks at the machine. Reads /proc, /sys and Vulkan's driver list, and asks `nvidia-smi` where an NVIDIA card or driver
 * is present; that tool gets five seconds, so a hanging driver delays but never blocks. Does not throw.
 */
export async function detect({
  provided = providedKinds,
}: {
  provided?: readonly DeviceKind[];
} = {}): Promise<Hardware> {
  return judge(await gatherEvidence(), provided);
}

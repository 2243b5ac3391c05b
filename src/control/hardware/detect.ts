// What this box has: one entry a usable device, the CPU always last.
import type { Device } from "../../core/device.ts";

/** A card that was seen but can't be used, and what to do about it. */
export type DeviceProblem = { name: string; reason: string; remedy: string };

export type Hardware = { devices: Device[]; problems: DeviceProblem[] };

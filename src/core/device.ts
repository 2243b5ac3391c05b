// A place where graphs run.
import type { DeviceId } from "./ids.ts";
import type { Bytes } from "./units.ts";

export type DeviceKind = "cpu" | "cuda" | "webgpu";

export type Device = {
  id: DeviceId;
  kind: DeviceKind;
  /** Ordinal among devices of its kind; 0 for the CPU. */
  index: number;
  name: string;
  /** For the CPU: main memory. */
  memory: { total: Bytes; free: Bytes };
  driver?: string;
  /** PCI slot of its card, e.g. `0000:01:00.0`: the same for all ways to use one card. */
  slot?: string;
};

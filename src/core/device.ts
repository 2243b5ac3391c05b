// A place where graphs run.
import type { DeviceId } from "./ids.ts";
import type { Bytes } from "./units.ts";

export const deviceKinds = ["cpu", "webgpu", "cuda"] as const;
export type DeviceKind = (typeof deviceKinds)[number];

/** Ids begin with the kind: `cpu`, `cuda:0`. */
export const kindOfId = (id: string): DeviceKind | undefined => deviceKinds.find((kind) => kind === id.split(":")[0]);

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
  /** What CUDA calls it: `GPU-...`, or `MIG-...` for a slice of a card. */
  uuid?: string;
  /** Profile of a slice of a card (MIG), e.g. `1g.10gb`; what is read of its card is not true of it. */
  slice?: string;
  /** How Vulkan reaches it: the driver's manifest, and what changes when the driver does. */
  vulkan?: { manifest: string; stamp: string };
  /** The processor acts as one: for tests and trials; `auto` passes it by. */
  isSoftware?: true;
};

// What devices show while they run, and when one counts as lost. Pure.
import type { Device } from "../../core/device.ts";
import type { DeviceId } from "../../core/ids.ts";
import type { Bytes, Instant } from "../../core/units.ts";

/** What one look at a card told; absent parts it does not tell (MIG, WSL and integrated cards tell little). */
export type CardSample = {
  memory?: { total: Bytes; free: Bytes };
  /** Share of the time in which it computed, from 0 to 1. */
  utilisation?: number;
  celsius?: number;
  watts?: number;
};

/** One look at the box. By slot (`0000:01:00.0`); a card that did not show is absent. */
export type BoxSample = {
  cards: ReadonlyMap<string, CardSample>;
  /** Vendors' tools that gave no answer at all this time, as `nvidia`: their cards may be well. */
  silent: ReadonlySet<string>;
  processor: CardSample;
  /** Memory on the device by process, where the driver tells. */
  processes: ReadonlyMap<number, Bytes>;
};

export type DeviceReading = CardSample & {
  id: DeviceId;
  isLost: boolean;
  /** Looks in a row in which its tool said nothing. */
  silentLooks: number;
};

export type HardwareReadings = { at: Instant; devices: readonly DeviceReading[] };

/** One missing answer may be a busy driver; so many in a row mean that nobody answers any more. */
const SILENT_LOOKS_ALLOWED = 2;

export function readDevice(
  device: Pick<Device, "id" | "kind" | "slot" | "slice">,
  { sample, previous }: { sample: BoxSample; previous: DeviceReading | undefined },
): DeviceReading {
  const { id, kind, slot, slice } = device;
  if (kind === "cpu") return { id, ...sample.processor, isLost: false, silentLooks: 0 };
  const card = slot === undefined ? undefined : sample.cards.get(slot);
  // Of a card that is cut into slices only its presence is true of each of them.
  if (card && slice !== undefined) return { id, isLost: false, silentLooks: 0 };
  if (card) return { id, ...card, isLost: false, silentLooks: 0 };
  // Without a slot there is nothing to look for it by.
  if (slot === undefined) return { id, isLost: false, silentLooks: 0 };
  const vendor = kind === "cuda" ? "nvidia" : slot;
  const silentLooks = sample.silent.has(vendor) ? (previous?.silentLooks ?? 0) + 1 : 0;
  const isLost = silentLooks === 0 || silentLooks > SILENT_LOOKS_ALLOWED || previous?.isLost === true;
  return { id, isLost, silentLooks };
}

// The device that models run on, and what they may take of its memory.
import type { Device } from "../core/device.ts";
import { ForecourtError } from "../core/errors.ts";
import { type Bytes, bytes, MIB } from "../core/units.ts";
import type { Hardware } from "./hardware/detect.ts";
import type { Settings } from "./settings.ts";

/** `auto` is the first that was found usable; the CPU is last. Throws `misconfigured` when the wanted kind is not usable. */
export function chooseDevice(hardware: Hardware, wanted: Settings["device"]): Device {
  const device = hardware.devices.find(({ kind, isSoftware }) => (wanted === "auto" ? !isSoftware : kind === wanted));
  if (device) return device;
  const reasons = hardware.problems.map(({ name, reason, remedy }) => `${name}: ${reason} ${remedy}`);
  const why = reasons.length > 0 ? reasons.join(" ") : "No such device was found: see `forecourt doctor`.";
  throw new ForecourtError("misconfigured", `The device ${wanted} cannot be used. ${why} Or set device to auto.`);
}

/**
 * The devices that models are placed on, best first. `auto`: each card in its best way, then the CPU for what fits on no
 * card; otherwise all of the wanted kind. Throws `misconfigured` when there is none.
 */
export function chooseDevices(hardware: Hardware, wanted: Settings["device"]): Device[] {
  const first = chooseDevice(hardware, wanted);
  const taken = new Set<string>();
  return hardware.devices.filter((device) => {
    const isWanted = wanted === "auto" ? !device.isSoftware : device.kind === wanted;
    const names = [cardOf(device), ...adapterOf(device)];
    if (!isWanted || (device !== first && names.some((name) => taken.has(name)))) return false;
    for (const name of names) taken.add(name);
    return true;
  });
}

/** The same for all ways to use one card; a slice counts as a card. */
export const cardOf = ({ id, slot, slice, uuid }: Device): string => (slice === undefined ? slot : uuid) ?? id;

/**
 * onnxruntime's WebGPU provider takes the adapter that Vulkan lists first and cannot be told another, so a Vulkan driver,
 * which a runner's environment does name, gives one device however many cards it drives.
 */
const adapterOf = ({ kind, vulkan }: Device) => (kind === "webgpu" ? [`adapter of ${vulkan?.manifest}`] : []);

/** A CPU's memory is shared with everything else on the box; a GPU's with little more than the display. */
const SHARE = { cpu: 0.7, gpu: 0.9 };

/** What models may take of a device: the setting, else all but its reserve, else a share. */
export function memoryBudget(
  { id, kind, memory, isSoftware }: Device,
  { budgetMb, reserve }: Pick<Settings["memory"], "budgetMb" | "reserve">,
): Bytes {
  if (budgetMb > 0) return bytes(budgetMb * MIB);
  const [, reserved] = reserve.map((each) => each.split("=")).findLast(([device]) => device === id) ?? [];
  if (reserved !== undefined) return bytes(Math.max(0, memory.total - Number(reserved) * MIB));
  return bytes(Math.floor(memory.total * (kind === "cpu" || isSoftware ? SHARE.cpu : SHARE.gpu)));
}

// The device that models run on, and what they may take of its memory.
import type { Device } from "../core/device.ts";
import { ForecourtError } from "../core/errors.ts";
import { type Bytes, bytes, MIB } from "../core/units.ts";
import type { Hardware } from "./hardware/detect.ts";
import type { Settings } from "./settings.ts";

/** `auto` is the first that was found usable; the CPU is last. Throws `misconfigured` when the wanted kind is not usable. */
export function chooseDevice(hardware: Hardware, wanted: Settings["device"]): Device {
  const device = wanted === "auto" ? hardware.devices[0] : hardware.devices.find(({ kind }) => kind === wanted);
  if (device) return device;
  const reasons = hardware.problems.map(({ name, reason, remedy }) => `${name}: ${reason} ${remedy}`);
  const why = reasons.length > 0 ? reasons.join(" ") : "No such device was found.";
  throw new ForecourtError("misconfigured", `The device ${wanted} cannot be used. ${why} Or set device to auto.`);
}

/**
 * The devices that models are placed on, best first. `auto`: each card in its best way, then the CPU for what fits on no
 * card; otherwise all of the wanted kind. Throws `misconfigured` when there is none.
 */
export function chooseDevices(hardware: Hardware, wanted: Settings["device"]): Device[] {
  const first = chooseDevice(hardware, wanted);
  const ofKind = hardware.devices.filter(({ kind }) => wanted === "auto" || kind === wanted);
  const cards = new Set<string>();
  return ofKind.filter((device) => {
    // onnxruntime's WebGPU provider takes the adapter that Vulkan lists first and cannot be told another.
    if (device.kind === "webgpu" && device.index > 0) return false;
    const card = device.slot ?? device.id;
    if (device !== first && cards.has(card)) return false;
    cards.add(card);
    return true;
  });
}

/** A CPU's memory is shared with everything else on the box; a GPU's with little more than the display. */
const SHARE = { cpu: 0.7, gpu: 0.9 };

export function memoryBudget({ kind, memory }: Device, { budgetMb }: Pick<Settings["memory"], "budgetMb">): Bytes {
  if (budgetMb > 0) return bytes(budgetMb * MIB);
  return bytes(Math.floor(memory.total * (kind === "cpu" ? SHARE.cpu : SHARE.gpu)));
}

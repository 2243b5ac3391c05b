// Where a model may be placed, and how much memory it needs there.
import type { DeviceId, ModelId } from "../../core/ids.ts";
import { type Bytes, bytes } from "../../core/units.ts";
import type { DeviceFact, Facts } from "./situation.ts";

export const needOn = (model: ModelId, device: DeviceId, facts: Pick<Facts, "models">): Bytes =>
  needsOf(model, facts)(device);

/** The same for several devices. */
export function needsOf(model: ModelId, { models }: Pick<Facts, "models">): (device: DeviceId) => Bytes {
  const fact = models.get(model);
  const { measured, estimates, footprint = bytes(0) } = fact ?? {};
  if (!estimates && (!measured || measured.size === 0)) return () => footprint;
  return (device) => measured?.get(device) ?? estimates?.get(device) ?? footprint;
}

/** Usable devices of the model's pool, or those that are set apart for nobody. */
export function devicesOf(model: ModelId, { models, pools, devices }: Facts): readonly DeviceFact[] {
  const pool = models.get(model)?.pool;
  const named = pools.find(({ name }) => name === pool);
  const isMine = named
    ? ({ id }: DeviceFact) => named.devices.includes(id)
    : ({ id }: DeviceFact) => !pools.some((each) => each.devices.includes(id));
  return devices.filter(isMine);
}

export type Places = {
  /** Where the model fits once everything that may go is gone, the CPU only if it fits on no GPU. */
  of(model: ModelId): readonly DeviceFact[];
  /** Of its pool, lost ones left out. */
  usable(model: ModelId): readonly DeviceFact[];
  all(model: ModelId): readonly DeviceFact[];
};

/** What models may use, worked out once for each pool. */
export function createPlaces(facts: Facts): Places {
  const byPool = new Map<string | undefined, readonly DeviceFact[]>();
  const pinned = pinnedMemory(facts);
  const all = (model: ModelId) => {
    const pool = facts.models.get(model)?.pool;
    const known = byPool.get(pool);
    if (known) return known;
    const found = devicesOf(model, facts);
    byPool.set(pool, found);
    return found;
  };
  const usable = (model: ModelId) => {
    const devices = all(model);
    return devices.some(({ isLost }) => isLost) ? devices.filter(({ isLost }) => !isLost) : devices;
  };
  const fits = (model: ModelId) => {
    const needOf = needsOf(model, facts);
    return (device: DeviceFact) => needOf(device.id) <= device.budget - (pinned.get(device.id)?.others(model) ?? 0);
  };
  const known = new Map<ModelId, readonly DeviceFact[]>();
  const roomy = createRoomy(facts);
  const findFor = (model: ModelId) => {
    const anywhere = pinned.size === 0 ? roomy(model, usable(model)) : undefined;
    if (anywhere) return anywhere;
    const fitting = usable(model).filter(fits(model));
    const gpus = fitting.filter(({ kind }) => kind !== "cpu");
    return gpus.length > 0 ? gpus : fitting;
  };
  return {
    all,
    usable,
    of(model) {
      const places = known.get(model) ?? findFor(model);
      known.set(model, places);
      return places;
    },
  };
}

/**
 * The GPUs of a list of devices, where a model takes the same on each and fits on the smallest: the usual answer, worked out
 * once for each list.
 */
function createRoomy({ models }: Pick<Facts, "models">) {
  const lists = new Map<readonly DeviceFact[], { gpus: readonly DeviceFact[]; least: number }>();
  return (model: ModelId, devices: readonly DeviceFact[]): readonly DeviceFact[] | undefined => {
    const { footprint = 0, estimates, measured } = models.get(model) ?? {};
    if (estimates || (measured && measured.size > 0)) return undefined;
    let list = lists.get(devices);
    if (!list) {
      const gpus = devices.filter(({ kind }) => kind !== "cpu");
      list = { gpus, least: gpus.reduce((least, { budget }) => Math.min(least, budget), Number.POSITIVE_INFINITY) };
      lists.set(devices, list);
    }
    return list.gpus.length > 0 && footprint <= list.least ? list.gpus : undefined;
  };
}

/** Memory of each device that is held by pinned models. */
function pinnedMemory({ runners, models }: Facts) {
  const byDevice = new Map<DeviceId, { others(model: ModelId): number }>();
  const held = new Map<DeviceId, Map<ModelId, number>>();
  for (const { device, model, memory } of runners) {
    if (!models.get(model)?.isPinned) continue;
    const onDevice = held.get(device) ?? new Map<ModelId, number>();
    onDevice.set(model, (onDevice.get(model) ?? 0) + memory);
    held.set(device, onDevice);
  }
  for (const [device, onDevice] of held) {
    const total = [...onDevice.values()].reduce((sum, each) => sum + each, 0);
    byDevice.set(device, { others: (model) => total - (onDevice.get(model) ?? 0) });
  }
  return byDevice;
}

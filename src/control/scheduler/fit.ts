// Does a model fit on a device beside what is there, and may it be loaded at all?
import type { DeviceId, ModelId } from "../../core/ids.ts";
import { type Bytes, bytes, type Instant } from "../../core/units.ts";

/** Anything that holds memory of a device: a runner, whatever its state, until its process is gone. */
export type Holder = { device: DeviceId; memory: Bytes };
export type Room = { id: DeviceId; budget: Bytes };

/** Memory of the budget that nobody holds; below zero when a model turned out larger than its estimate. */
export function freeOn(device: Room, holders: Holder[]): Bytes {
  let free: number = device.budget;
  for (const holder of holders) if (holder.device === device.id) free -= holder.memory;
  return bytes(free);
}

export const fitsBeside = (need: Bytes, device: Room, holders: Holder[]) => need <= freeOn(device, holders);

/** Could it fit if nothing else were there? */
export const fitsAlone = (need: Bytes, device: Room) => need <= device.budget;

export const needOf = (model: ModelId, footprint: ReadonlyMap<ModelId, Bytes>): Bytes =>
  footprint.get(model) ?? bytes(0);

type Standing = { runners: { model: ModelId }[]; backOffs: ReadonlyMap<ModelId, { until: Instant }>; now: Instant };

/** One runner for each model, and none while it is to be left alone after a crash. */
export function mayLoad(model: ModelId, { runners, backOffs, now }: Standing): boolean {
  const until = backOffs.get(model)?.until;
  return !runners.some((runner) => runner.model === model) && (until === undefined || until <= now);
}

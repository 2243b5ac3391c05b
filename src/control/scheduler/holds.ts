// Memory that something else than a runner of a model's jobs takes for a while: trials of new weights.
import type { Device } from "../../core/device.ts";
import type { DeviceId } from "../../core/ids.ts";
import { type Bytes, bytes } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import { footprintOf, modelOn } from "../../engine/variants.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { Residency } from "./residency.ts";
import type { DeviceFact } from "./situation.ts";

export type Held = Disposable & { device: Device };

export type Holds = {
  /** The device with what is held taken from its budget. */
  applied(device: DeviceFact): DeviceFact;
  /**
   * The first of `devices` that the model may run on and that has so much left, as `free` tells; undefined when none has.
   * The CPU only if the model fits on no GPU. `variant`: only where that one of its variants runs.
   */
  hold(
    entry: CatalogEntry,
    box: { devices: readonly DeviceFact[]; free: ReadonlyMap<DeviceId, number>; variant?: Model | undefined },
  ): Held | undefined;
};

type Parts = { devices: readonly { device: Device }[]; residency: Residency; onReleased: () => void };

export function createHolds({ devices: all, residency, onReleased }: Parts): Holds {
  const held = new Map<symbol, { device: DeviceId; memory: Bytes }>();

  const mayUse = ({ model }: CatalogEntry) => {
    const { pools } = residency;
    const pool = pools.find(({ name }) => name === residency.poolOf(model));
    return ({ id }: DeviceFact) =>
      pool ? pool.devices.includes(id) : !pools.some(({ devices }) => devices.includes(id));
  };

  return {
    applied(device) {
      const taken = [...held.values()].reduce((sum, each) => sum + (each.device === device.id ? each.memory : 0), 0);
      return taken > 0 ? { ...device, budget: bytes(device.budget - taken) } : device;
    },
    hold(entry, { devices, free, variant }) {
      const needOn = ({ kind }: DeviceFact) => footprintOf(modelOn(entry.model, kind));
      const isMeant = ({ kind }: DeviceFact) => !variant || modelOn(entry.model, kind) === variant;
      // A trial elsewhere than on a device that the model would run on tells little: half of what GPUs do, no CPU does.
      const usable = devices
        .filter(mayUse(entry))
        .filter((device) => isMeant(device) && !device.isLost && needOn(device) <= device.budget);
      const gpus = usable.filter(({ kind }) => kind !== "cpu");
      const found = (gpus.length > 0 ? gpus : usable).find((device) => (free.get(device.id) ?? 0) >= needOn(device));
      const device = all.find((each) => each.device.id === found?.id)?.device;
      if (!found || !device) return undefined;
      const hold = Symbol();
      held.set(hold, { device: device.id, memory: needOn(found) });
      return {
        device,
        [Symbol.dispose]() {
          held.delete(hold);
          onReleased();
        },
      };
    },
  };
}

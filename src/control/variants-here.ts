// Which variants of a model this box needs: those for the devices that it is placed on while none is lost.
import type { Device, DeviceKind } from "../core/device.ts";
import type { Bytes } from "../core/units.ts";
import type { Model } from "../engine/model.ts";
import { footprintOf, modelOn, variantsOn } from "../engine/variants.ts";
import { memoryBudget } from "./choose-device.ts";
import { createResidency } from "./scheduler/residency.ts";
import type { Settings } from "./settings.ts";

/** The model itself where it has the same files everywhere. */
export type VariantsHere = (model: Model) => Model[];

type Box = { settings: Pick<Settings, "pools" | "memory">; devices: readonly Device[] };

/** As the scheduler places (scheduler/fit.ts): on each GPU of the model's pool that it fits on, else on the CPU. */
export function createVariantsHere({ settings, devices }: Box): VariantsHere {
  const residency = createResidency(settings);
  const places = devices.map((device) => ({ device, budget: memoryBudget(device, settings.memory) }));
  return (model) => {
    if (!model.devices) return [model];
    const pool = residency.pools.find(({ name }) => name === residency.poolOf(model));
    const isMine = (id: Device["id"]) =>
      pool ? pool.devices.includes(id) : !residency.pools.some((each) => each.devices.includes(id));
    const kinds = kindsOf(
      model,
      places.filter(({ device }) => isMine(device.id)),
    );
    return variantsOn(model, kinds.size > 0 ? kinds : ["cpu"]);
  };
}

function kindsOf(model: Model, places: readonly { device: Device; budget: Bytes }[]): Set<DeviceKind> {
  const kinds = (found: typeof places) => new Set(found.map(({ device: { kind } }) => kind));
  const fitting = places.filter(({ device: { kind }, budget }) => footprintOf(modelOn(model, kind)) <= budget);
  const gpus = fitting.filter(({ device: { kind } }) => kind !== "cpu");
  if (gpus.length > 0) return kinds(gpus);
  return kinds(fitting.length > 0 ? fitting : places);
}

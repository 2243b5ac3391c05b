// Which variants of a model this box needs: those for the devices that it is placed on while none is lost.
import type { Device, DeviceKind } from "../core/device.ts";
import { type Bytes, bytes } from "../core/units.ts";
import type { Model } from "../engine/model.ts";
import { footprintOf, modelOn, variantsOn } from "../engine/variants.ts";
import { memoryBudget } from "./choose-device.ts";
import { createResidency } from "./scheduler/residency.ts";
import type { Settings } from "./settings.ts";

/** The model itself where it has the same files everywhere. */
export type VariantsHere = (model: Model) => Model[];

/** Undefined for a model that some device holds: what it takes where it takes least, and the most that one has for models. */
export type LackHere = (model: Model) => { needed: Bytes; most: Bytes } | undefined;

type Box = { settings: Pick<Settings, "pools" | "memory">; devices: readonly Device[] };
type Place = { device: Device; budget: Bytes };

/** As the scheduler places (scheduler/fit.ts): on each GPU of the model's pool that it fits on, else on the CPU. */
export function createVariantsHere(box: Box): VariantsHere {
  const placesOf = createPlacesOf(box);
  return (model) => {
    if (!model.devices) return [model];
    const kinds = kindsOf(model, placesOf(model));
    return variantsOn(model, kinds.size > 0 ? kinds : ["cpu"]);
  };
}

/** By the sizes that the models' files tell: what is measured may be less. */
export function createLackHere(box: Box): LackHere {
  const placesOf = createPlacesOf(box);
  return (model) => {
    const places = placesOf(model);
    if (places.length === 0 || places.some((place) => fits(model, place))) return undefined;
    return {
      needed: bytes(Math.min(...places.map(({ device: { kind } }) => footprintOf(modelOn(model, kind))))),
      most: bytes(Math.max(...places.map(({ budget }) => budget))),
    };
  };
}

/** The devices of a model's pool, or those that are set apart for nobody. */
function createPlacesOf({ settings, devices }: Box): (model: Model) => readonly Place[] {
  const residency = createResidency(settings);
  const places = devices.map((device) => ({ device, budget: memoryBudget(device, settings.memory) }));
  return (model) => {
    const pool = residency.pools.find(({ name }) => name === residency.poolOf(model));
    const isMine = (id: Device["id"]) =>
      pool ? pool.devices.includes(id) : !residency.pools.some((each) => each.devices.includes(id));
    return places.filter(({ device }) => isMine(device.id));
  };
}

const fits = (model: Model, { device: { kind }, budget }: Place) => footprintOf(modelOn(model, kind)) <= budget;

function kindsOf(model: Model, places: readonly Place[]): Set<DeviceKind> {
  const kinds = (found: readonly Place[]) => new Set(found.map(({ device: { kind } }) => kind));
  const fitting = places.filter((place) => fits(model, place));
  const gpus = fitting.filter(({ device: { kind } }) => kind !== "cpu");
  if (gpus.length > 0) return kinds(gpus);
  return kinds(fitting.length > 0 ? fitting : places);
}

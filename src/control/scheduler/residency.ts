// What operators say about where models live: pools of devices, pinned models, models that are loaded ahead.
import { ForecourtError } from "../../core/errors.ts";
import type { DeviceId } from "../../core/ids.ts";
import { asId } from "../../core/ids.ts";
import type { Model } from "../../engine/model.ts";
import { matchesModel } from "../keys/patterns.ts";
import type { Settings } from "../settings.ts";
import type { PoolFact } from "./situation.ts";

export type Residency = {
  pools: readonly (PoolFact & { maxQueue: number })[];
  /** The first pool that a pattern of fits; undefined: the devices that are in no pool. */
  poolOf(model: Pick<Model, "id" | "aliases" | "category">): string | undefined;
  /** The same, with the limit of its queue. */
  queuePoolOf(model: Model | undefined): { name: string; maxQueue: number } | undefined;
  isPinned(model: Model): boolean;
  /** Loaded at the start, pinned ones included. */
  isWarm(model: Model): boolean;
};

/** A pattern fits a model's id, an alias, or its category written as `category:text-to-video`. */
export const namesOf = ({ id, aliases, category }: Pick<Model, "id" | "aliases" | "category">) => [
  id,
  ...aliases,
  `category:${category}`,
];

/** Throws `misconfigured` for two pools of one name: jobs and limits are counted by it. */
export function createResidency({ pools, memory }: Pick<Settings, "pools" | "memory">): Residency {
  const twice = pools.find(({ name }, at) => pools.findIndex((each) => each.name === name) !== at);
  if (twice) throw new ForecourtError("misconfigured", `Setting pools: two of them are named ${twice.name}.`);
  const pinned = memory.pinned;
  const isPinned = (model: Model) => model.residency === "pinned" || matchesModel(pinned, namesOf(model));
  return {
    pools: pools.map(({ name, devices, concurrency, maxQueue }) => ({
      ...{ name, concurrency, maxQueue },
      devices: devices.map((each) => asId<DeviceId>(each)),
    })),
    poolOf: (model) => pools.find(({ models }) => matchesModel(models, namesOf(model)))?.name,
    queuePoolOf: (model) => model && pools.find(({ models }) => matchesModel(models, namesOf(model))),
    isPinned,
    isWarm: (model) => isPinned(model) || model.warm || matchesModel(memory.warm, namesOf(model)),
  };
}

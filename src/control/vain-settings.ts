// Settings that are well written and name what this box has not: warnings, not refusals, since a model's file may be added
// later and a card come back.
import type { Device } from "../core/device.ts";
import type { Model } from "../engine/model.ts";
import { repoPartsOf } from "../engine/sources.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { vainNames } from "./catalog/names.ts";
import { matchesModel } from "./keys/patterns.ts";
import { namesOf } from "./scheduler/residency.ts";
import { nearestNames } from "./settings/nearest-names.ts";
import type { UnknownVariable } from "./settings/resolve.ts";
import type { Settings } from "./settings.ts";

/** `refuses`: requests of models fail because of it. */
export type VainSetting = { what: string; remedy: string; refuses?: boolean };

type Parts = {
  settings: Pick<Settings, "memory" | "openai" | "pools" | "weights">;
  catalog: Pick<Catalog, "list" | "find">;
  /** Those that models are placed on; nothing is said of devices where there are none. */
  devices: readonly Pick<Device, "id">[];
};

export function vainSettings({ settings, catalog, devices }: Parts): VainSetting[] {
  const { memory, openai, pools, weights } = settings;
  const models = catalog.list().map(({ model }) => model);
  const followable = models.filter((model) => repoPartsOf(model).length > 0);
  const ids = devices.map(({ id }) => id as string);
  return [
    ...vainNames(catalog, openai.models).map(({ name, model }) => ({
      what: `openai.models gives the name ${name} to ${model}, and there is no such model`,
      remedy: wayTo(model, models.flatMap(endpointsOf)),
    })),
    ...vainPatterns("memory.pinned", memory.pinned, models),
    ...vainPatterns("memory.warm", memory.warm, models),
    ...vainPatterns("weights.track", weights.track, followable, "model that has a repository", endpointsOf),
    ...pools.flatMap(({ name, models: patterns }) => vainPatterns(`pools, ${name}`, patterns, models)),
    ...(ids.length > 0 ? vainDevices({ memory, pools }, models, ids) : []),
  ];
}

const endpointsOf = ({ id, aliases }: Model) => [id, ...aliases];

const vainPatterns = (
  setting: string,
  patterns: readonly string[],
  models: readonly Model[],
  sort = "model",
  namesIn: (model: Model) => string[] = namesOf,
): VainSetting[] =>
  patterns
    .filter((pattern) => !models.some((model) => matchesModel([pattern], namesIn(model))))
    .map((pattern) => ({
      what: `${setting}: ${pattern} fits no ${sort} on this box`,
      remedy: wayTo(pattern, models.flatMap(namesIn)),
    }));

/** Categories are few enough to be listed, ids are not. */
function wayTo(pattern: string, names: readonly string[]): string {
  const categories = new Set(names.filter((name) => name.startsWith(CATEGORY)));
  if (pattern.startsWith(CATEGORY) && categories.size > 0) return `there are ${[...categories].sort().join(", ")}`;
  const near = nearestNames(pattern, names);
  const list = "see `forecourt models list`, and correct the setting";
  return near.length === 0 ? list : `did you mean ${near.slice(0, MOST_NEAR).join(" or ")}? Or ${list}`;
}

const CATEGORY = "category:";
const MOST_NEAR = 3;

const vainDevices = ({ memory, pools }: Pick<Settings, "memory" | "pools">, models: Model[], ids: string[]) => [
  ...pools.flatMap((pool) => absentOfPool(pool, models, ids)),
  ...memory.reserve.filter((each) => !ids.includes(deviceOf(each))).map((each) => absentReserve(each, ids)),
  ...withoutDevice(pools, models, ids),
];

type Pool = Settings["pools"][number];

function absentOfPool({ name, devices, models: patterns }: Pool, models: readonly Model[], ids: readonly string[]) {
  const absent = devices.filter((each) => !ids.includes(each));
  if (absent.length === 0) return [];
  const isLeft = absent.length < devices.length;
  const refuses = !isLeft && models.some((model) => matchesModel(patterns, namesOf(model)));
  const what = `pools, ${name}: models run on no ${absent.join(" and no ")} here`;
  return [
    { what: refuses ? `${what}, so requests of its models are refused` : what, remedy: devicesHere(ids), refuses },
  ];
}

const deviceOf = (reserve: string) => reserve.split("=")[0] ?? "";
const absentReserve = (each: string, ids: readonly string[]): VainSetting => ({
  what: `memory.reserve: models run on no ${deviceOf(each)} here`,
  remedy: devicesHere(ids),
});

const devicesHere = (ids: readonly string[]) =>
  `they run on ${ids.join(", ")}: correct the setting, or see what \`forecourt doctor\` says of the missing card`;

/** That all devices are set apart may be meant, on a box for a few models. */
function withoutDevice(pools: readonly Pool[], models: readonly Model[], ids: readonly string[]): VainSetting[] {
  if (!ids.every((id) => pools.some(({ devices }) => devices.includes(id)))) return [];
  const left = models.filter((model) => !pools.some((pool) => matchesModel(pool.models, namesOf(model))));
  if (left.length === 0) return [];
  const what = `pools: all devices are set apart, so ${left.length} models that fit no pool are refused`;
  return [
    { what, remedy: 'leave a device to them, or give them a pool: {name: others, devices: [...], models: ["*"]}' },
  ];
}

/** Variables of the environment that were to be settings. */
export const vainVariable = ({ name, near }: UnknownVariable): VainSetting => ({
  what: `there is no setting ${name}, so the variable changes nothing`,
  remedy: near.length > 0 ? `did you mean ${near.join(" or ")}?` : "`forecourt doctor` lists all settings; remove it",
});

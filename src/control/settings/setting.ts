// What a setting is, and how a tree of them is walked.
import { type Static, type TSchema, webAddress } from "../../core/schema.ts";

export type Setting<S extends TSchema = TSchema> = {
  /** For people: what it does, its unit, what 0 or empty means. */
  doc: string;
  env: string;
  schema: S;
  default: Static<S>;
  /** Never shown. */
  isSecret?: boolean;
};
export type SettingTree = { [name: string]: Setting | SettingTree };

export type ValuesOf<Tree> = {
  -readonly [Name in keyof Tree]: Tree[Name] extends Setting<infer S> ? Static<S> : ValuesOf<Tree[Name]>;
};

export const setting = <S extends TSchema>(entry: Setting<S>): Setting<S> => entry;

const isSetting = (node: Setting | SettingTree): node is Setting =>
  "schema" in node && "env" in node && typeof node.env === "string";

/** One leaf of the tree: `path` in code's names, `name` as operators write it (`jobs.max_queue`). */
export type NamedSetting = { path: string[]; name: string; setting: Setting };

export function listSettings(tree: SettingTree, path: string[] = []): NamedSetting[] {
  return Object.entries(tree).flatMap(([key, node]) => {
    const here = [...path, key];
    return isSetting(node) ? [{ path: here, name: nameOf(here), setting: node }] : listSettings(node, here);
  });
}

/** `maxQueue` is written `max_queue` in files and flags. */
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const nameOf = (path: string[]) => path.map(snake).join(".");

/** Longest spans that settings may name: sums of time stay dates, and waits timers. */
export const MOST_DAYS = 36_500;
export const MOST_HOURS = MOST_DAYS * 24;
export const MOST_SECONDS = MOST_HOURS * 3600;

/** An address of http or https, or none. */
export const addressOrNone = (example: string) =>
  webAddress({ expected: `an address such as ${example}, or empty`, mayBeEmpty: true });

/** Pattern of a device's id. */
export const DEVICE = "(cpu|(cuda|webgpu):\\d+)";

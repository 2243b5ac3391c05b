// Defaults < file < environment < flags: each setting's value and where it came from.
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { resolve as absolute, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { parse, type TObject, Type } from "../../core/schema.ts";
import { unknownFields } from "../../core/unknown-fields.ts";
import { readSettingsFile } from "./file.ts";
import { nearestNames } from "./nearest-names.ts";
import { listSettings, type NamedSetting, type SettingTree } from "./setting.ts";

/** `origin` is `default`, the path of a file, the name of a variable, or a flag (`--port`). Secrets are masked. */
export type SettingOrigin = { name: string; value: unknown; origin: string; doc: string };
/** A variable of the environment that is named like ours and is none of them, with those that may be meant. */
export type UnknownVariable = { name: string; near: string[] };
export type Resolved<Values> = { settings: Values; origins: SettingOrigin[]; unknownVariables: UnknownVariable[] };

export type Sources = {
  flags: Record<string, string | number | boolean | undefined>;
  env: Record<string, string | undefined>;
  /** A settings file that must exist, instead of `<data>/appliance.yaml`, which may. */
  config?: string;
  dataByDefault: string;
  /** Values by dotted name that count where a setting is absent or empty: other programs' variables. */
  inherited?: ReadonlyMap<string, Found>;
  /** Undefined when there is no such file. */
  readFile?: (path: string) => string | undefined;
};

type Found = { value: unknown; origin: string };

export function resolve<Values>(tree: SettingTree, sources: Sources): Resolved<Values> {
  const settings = listSettings(tree);
  rejectUnknownFlags(settings, sources.flags);
  // Read once: it may be a pipe, which has its text but once.
  const named = sources.config === undefined ? undefined : fileValues(settings, sources, "");
  const data = dataOf(settings, sources, named);
  const file = named ?? fileValues(settings, sources, data);
  const found = settings.map((each) => ({ ...each, ...valueFor(each, sources, file) }));
  const given = found.map(({ name, value, origin, setting }) => ({
    ...{ name, origin, doc: setting.doc },
    value: coerce(setting.schema.type, value),
  }));
  // Checked as it was written, and then told as the directory that it leads to.
  const checked = { ...check(settings, given), data };
  const origins = given.map((each) => (each.name === "data" ? { ...each, value: data } : each));
  return {
    settings: checked as Values,
    origins: masked(settings, origins),
    unknownVariables: unknownVariables(settings, sources.env),
  };
}

/** Empty ones are as good as absent, as they are for settings. */
function unknownVariables(settings: NamedSetting[], env: Sources["env"]): UnknownVariable[] {
  const known = settings.map(({ setting }) => setting.env.slice(PREFIX.length));
  return Object.keys(env).flatMap((name) => {
    const own = name.slice(PREFIX.length);
    if (!name.startsWith(PREFIX) || !env[name] || known.includes(own) || name === CALLERS_KEY) return [];
    return [{ name, near: nearestNames(own, known).map((each) => `${PREFIX}${each}`) }];
  });
}

const PREFIX = "FORECOURT_";
/** What callers are told to keep their key in: no setting that was misspelled. */
const CALLERS_KEY = "FORECOURT_KEY";

function valueFor(each: NamedSetting, sources: Sources, file: Map<string, Found>): Found {
  const given = lookUp(each, sources, file);
  if (given && !isEmpty(given.value)) return given;
  return sources.inherited?.get(each.name) ?? given ?? { value: each.setting.default, origin: "default" };
}

const isEmpty = (value: unknown) => value === "" || (Array.isArray(value) && value.length === 0);

/** For people: neither secrets nor the passwords inside of URLs. */
const masked = (settings: NamedSetting[], origins: SettingOrigin[]) =>
  origins.map((each) => ({ ...each, value: withoutSecrets(settings, each) }));

function withoutSecrets(settings: NamedSetting[], { name, value }: Pick<SettingOrigin, "name" | "value">): unknown {
  if (typeof value !== "string" || value === "") return value;
  if (settings.find((each) => each.name === name)?.setting.isSecret) return "********";
  return value.replace(/(?<=:\/\/[^/@\s]*:)[^/@\s]+(?=@)/, "********");
}

function lookUp({ name, setting }: NamedSetting, { flags, env }: Sources, file: Map<string, Found>): Found | undefined {
  const flag = flags[name];
  if (flag !== undefined) return { value: flag, origin: `--${name.replaceAll(/[._]/g, "-")}` };
  const variable = env[setting.env];
  if (variable !== undefined && variable !== "") return { value: variable, origin: setting.env };
  return file.get(name);
}

/** The data directory is needed before its own settings file can be read, so that file cannot set it. */
function dataOf(settings: NamedSetting[], sources: Sources, named: Map<string, Found> = new Map()): string {
  const data = settings.find(({ name }) => name === "data");
  const given = data && lookUp(data, sources, named);
  return absolute(String(given?.value || sources.dataByDefault));
}

function fileValues(settings: NamedSetting[], { config, readFile = readIfThere }: Sources, data: string) {
  const path = config === undefined ? join(data, "appliance.yaml") : absolute(config);
  const text = readFile(path);
  if (text === undefined) {
    if (config === undefined) return new Map<string, Found>();
    throw new ForecourtError("misconfigured", `There is no settings file ${path}.`);
  }
  const values = readSettingsFile(text, { path, known: settings.map(({ name }) => name) });
  if (config === undefined && values.get("data"))
    throw new ForecourtError("misconfigured", `${path}: data cannot be set by a file inside the data directory.`);
  return new Map([...values].map(([name, value]) => [name, { value, origin: path }]));
}

/** Throws `misconfigured` for what is there and cannot be read: else a box would run without its settings. */
function readIfThere(path: string): string | undefined {
  try {
    if (existsSync(path)) return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ForecourtError("misconfigured", `The settings file ${path} cannot be read: ${reason}.`, { cause });
  }
  if (isLink(path))
    throw new ForecourtError("misconfigured", `The settings file ${path} is a link to a file that is not there.`);
  return undefined;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch {
    return false; // in a folder that this account may not look into, whose settings are not for it
  }
}

/** Texts of the environment and command line as the type that the schema wants; left as they are if they don't fit. */
function coerce(type: unknown, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (type === "integer" || type === "number")
    return value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value);
  if (type === "boolean")
    return value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : value;
  if ((type === "array" && value.startsWith("[")) || type === "object") return parseJson(value);
  if (type === "array")
    return value
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "");
  return value;
}

/** Maps and lists of things with parts cannot be written with commas alone. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The values as a tree, each of the right type. */
function check(settings: NamedSetting[], origins: SettingOrigin[]): Record<string, unknown> {
  const schema = Type.Object(Object.fromEntries(settings.map(({ name, setting }) => [name, setting.schema])));
  const values = Object.fromEntries(origins.map(({ name, value }) => [name, value]));
  rejectUnknownParts(schema, values, origins);
  const checked = checkFlat(schema, values, { settings, origins });
  const root: Record<string, unknown> = {};
  for (const { path, name } of settings) put(root, path, checked[name]);
  return root;
}

/** The parser drops what it does not know, and a limit that is spelled wrong would limit nothing. */
function rejectUnknownParts(schema: TObject, values: Record<string, unknown>, origins: SettingOrigin[]): void {
  const [unknown] = unknownFields(schema, values);
  if (!unknown) return;
  const [name, ...within] = unknown.path;
  const origin = origins.find((each) => each.name === name)?.origin;
  throw new ForecourtError(
    "misconfigured",
    `Setting ${name} (from ${origin}): there is no ${within.join(".")}; there are ${unknown.known.join(", ")}.`,
  );
}

function checkFlat(
  schema: TObject,
  values: Record<string, unknown>,
  { settings, origins }: { settings: NamedSetting[]; origins: SettingOrigin[] },
): Record<string, unknown> {
  try {
    return parse(schema, values, ["settings"]);
  } catch (error) {
    if (!(error instanceof ForecourtError)) throw error;
    const [problem] = error.problems ?? [];
    const wrong = origins.find(({ name }) => name === problem?.loc[1]);
    const given = wrong && JSON.stringify(withoutSecrets(settings, wrong));
    const where = `${wrong?.name} is ${given} (from ${wrong?.origin})`;
    const code = wrong?.origin.startsWith("--") ? "bad_request" : "misconfigured";
    const within = problem?.loc.slice(2).join(".") ?? "";
    throw new ForecourtError(code, `Setting ${where}: ${within && `${within}: `}${problem?.msg}.`, { cause: error });
  }
}

function put(root: Record<string, unknown>, [head, ...rest]: string[], value: unknown): void {
  if (head === undefined) return;
  if (rest.length === 0) {
    root[head] = value;
    return;
  }
  const inner = (root[head] ?? {}) as Record<string, unknown>; // made by an earlier call for the same group
  root[head] = inner;
  put(inner, rest, value);
}

function rejectUnknownFlags(settings: NamedSetting[], flags: Sources["flags"]): void {
  const unknown = Object.keys(flags).find((flag) => !settings.some(({ name }) => name === flag));
  if (unknown !== undefined) throw new ForecourtError("misconfigured", `There is no setting ${unknown}.`);
}

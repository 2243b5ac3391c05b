// The models that this box offers: files of models/ inside the executable, then <data>/models/, by id and alias.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { parse, type TObject } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";
import { pipelineOf } from "../../engine/pipelines/registry.ts";
import { type ReadModel, readBuiltIn } from "./built-in.ts";
import type { EndpointWords } from "./endpoint-words.ts";
import { wordedEndpoints } from "./endpoints.ts";
import { inputSchemaOf } from "./input-schema.ts";
import { hasMedia } from "./media-fields.ts";
import type { ModelFile } from "./models.macro.ts";
import { expectPriced } from "./price-units.ts";
import { readModel, within } from "./read-model.ts";

/** A model with what follows from its file: its own schemas (pipeline schema + defaults + bounds), or an endpoint's. */
export type CatalogEntry = {
  model: Model;
  input: TObject;
  output: TObject;
  /** Of a message of a realtime connection, where the model takes these. */
  frame?: TObject;
  /** Of the model's file, checked and with defaults. */
  warmups: readonly Record<string, unknown>[];
  /** Of an endpoint whose requests are in other words than its pipeline's. */
  words?: EndpointWords;
  /** Has an input that may hold a URL. */
  takesMedia: boolean;
  /** `built-in` or the path of the operator's file. */
  origin: string;
};

export type Catalog = {
  /** Models, each as it is under its own id. */
  list(): CatalogEntry[];
  /** Endpoints with words of their own. */
  worded(): Endpoint[];
  /** By id or alias; under an endpoint with words of its own, in these. */
  find(endpoint: string): CatalogEntry | undefined;
  /** Splits a request path into the longest known endpoint id and the rest (`fal-ai/flux/dev/stream` -> `/stream`). */
  match(path: string): { entry: CatalogEntry; endpoint: string; rest: string } | undefined;
};

export type Endpoint = { endpoint: string; entry: CatalogEntry };

/** Where models come from that the executable carries. */
export const BUILT_IN = "built-in";

export const modelsFolder = (data: string) => join(data, "models");
export const isModelFile = (name: string) => /\.ya?ml$/.test(name);

/**
 * Reads `<data>/models/*.yaml` too when `data` is given. Throws `misconfigured`, naming file and field, for files that are wrong, all
 * of them at once, and for two models that claim one id or alias.
 */
export function createCatalog({ data, builtIn }: { data?: string; builtIn?: ModelFile[] }): Catalog {
  const entries = new Map<string, CatalogEntry>();
  for (const read of builtIn?.map(readFile) ?? readBuiltIn()) add(entries, entryOf(read, BUILT_IN), read.file);
  const overridden = new Map<string, string>();
  const takeOver = (file: string) => {
    const entry = entryOf(readFile(textOf(file)), file);
    const earlier = overridden.get(entry.model.id);
    if (earlier) throw taken(file, entry.model.id, earlier);
    overridden.set(entry.model.id, file);
    entries.delete(entry.model.id);
    add(entries, entry, file);
  };
  const own = data === undefined ? [] : operatorFiles(modelsFolder(data));
  expectRight(own.flatMap((file) => complaintOf(() => takeOver(file)) ?? []));
  return lookUps(withoutTaken([...entries.values()]));
}

function operatorFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter(isModelFile).sort();
  return files.map((name) => join(folder, name));
}

function complaintOf(read: () => void): ForecourtError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof ForecourtError) return error;
    throw error;
  }
}

/** Who corrects one file and starts again is not to hear of the next one then. */
function expectRight(complaints: ForecourtError[]): void {
  const [only, ...others] = complaints;
  if (!only) return;
  if (others.length === 0) throw only;
  const told = complaints.map(({ message }) => message).join(" ");
  throw new ForecourtError("misconfigured", `${complaints.length} model files are wrong. ${told}`);
}

const textOf = (file: string): ModelFile => within(file, () => ({ file, text: readFileSync(file, "utf8") }));

const readFile = (file: ModelFile): ReadModel => ({ file: file.file, model: readModel(file) });

function entryOf({ file, ...read }: ReadModel, origin: string): CatalogEntry {
  const model = withEndpoints(read.model);
  const { pipeline, input } = within(file, () => {
    const pipeline = pipelineOf(model);
    expectPriced(model, pipeline);
    return { pipeline, input: inputSchemaOf(pipeline.input, model) };
  });
  const { frame, output } = pipeline;
  const ownFrame = frame && { frame: within(file, () => inputSchemaOf(frame, frameDefaults(model))) };
  const warmups = within(`${file}: warmup`, () => model.warmup.map((each) => parse(input, each)));
  return { model, input, output, warmups, takesMedia: hasMedia(input), origin, ...ownFrame };
}

/** Ids with words of their own are aliases like others: keys, prices and lists know them. */
const withEndpoints = (model: Model): Model => ({
  ...model,
  aliases: [...new Set([...model.aliases, ...Object.keys(model.endpoints)])],
});

const frameDefaults = ({ defaults, bounds, realtime }: Model) => ({
  ...{ bounds, defaults: { ...defaults, ...realtime.defaults } },
});

function add(entries: Map<string, CatalogEntry>, entry: CatalogEntry, file: string): void {
  if (entries.has(entry.model.id)) throw taken(file, entry.model.id, "another file");
  entries.set(entry.model.id, entry);
}

const taken = (file: string, id: string, by: string) =>
  new ForecourtError("misconfigured", `${file}: the id ${id} is already taken by ${by}.`);

/** An alias that one of the operator's files has is theirs: a release that adds models must not stop a box. */
function withoutTaken(entries: CatalogEntry[]): CatalogEntry[] {
  const own = new Set(
    entries.flatMap(({ model, origin }) => (origin === BUILT_IN ? [] : [model.id, ...model.aliases])),
  );
  return entries.map((entry) => {
    const { model, origin } = entry;
    if (origin !== BUILT_IN || !model.aliases.some((alias) => own.has(alias))) return entry;
    return { ...entry, model: { ...model, aliases: model.aliases.filter((alias) => !own.has(alias)) } };
  });
}

function lookUps(entries: CatalogEntry[]): Catalog {
  const byEndpoint = new Map<string, CatalogEntry>();
  const worded = entries.flatMap((entry) => within(nameOf(entry), () => wordedEndpoints(entry)));
  const wordedById = new Map(worded.map(({ endpoint, entry }) => [endpoint, entry]));
  for (const entry of entries) {
    for (const endpoint of new Set([entry.model.id, ...entry.model.aliases])) {
      const other = byEndpoint.get(endpoint);
      if (other) throw taken(nameOf(entry), endpoint, nameOf(other));
      byEndpoint.set(endpoint, wordedById.get(endpoint) ?? entry);
    }
  }
  return {
    list: () => entries,
    worded: () => worded,
    find: (endpoint) => byEndpoint.get(endpoint),
    match(path) {
      const parts = path.replace(/^\/+/, "").split("/");
      for (let length = parts.length; length >= 2; length--) {
        const endpoint = parts.slice(0, length).join("/");
        const entry = byEndpoint.get(endpoint);
        if (entry)
          return {
            entry,
            endpoint,
            rest: parts
              .slice(length)
              .map((part) => `/${part}`)
              .join(""),
          };
      }
      return undefined;
    },
  };
}

const nameOf = ({ model, origin }: CatalogEntry) => (origin === BUILT_IN ? `the built-in model ${model.id}` : origin);

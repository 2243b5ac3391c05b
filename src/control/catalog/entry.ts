// How an entry of the catalogue is made of a model's file: its own schemas (pipeline schema + defaults + bounds), its endpoints.
import { parse } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";
import { pipelineOf } from "../../engine/pipelines/registry.ts";
import type { ReadModel } from "./built-in.ts";
import type { CatalogEntry, Endpoint } from "./catalog-entry.ts";
import { wordedEndpoints } from "./endpoints.ts";
import { inputSchemaOf } from "./input-schema.ts";
import { hasMedia } from "./media-fields.ts";
import { expectPriced } from "./price-units.ts";
import { within } from "./read-model.ts";

/** Where models come from that the executable carries. */
export const BUILT_IN = "built-in";

/** Throws `misconfigured`, naming file and field. */
export function entryOf({ file, ...read }: ReadModel, origin: string): CatalogEntry {
  const model = withEndpoints(read.model);
  const { pipeline, input } = within(file, () => {
    const pipeline = pipelineOf(model);
    expectPriced(model, pipeline);
    return { pipeline, input: inputSchemaOf(pipeline.input, model) };
  });
  const { frame, output } = pipeline;
  const ownFrame = frame && { frame: within(file, () => inputSchemaOf(frame, frameDefaults(model))) };
  const warmups = within(`${file}: warmup`, () => model.warmup.map((each) => parse(input, each)));
  const entry = { model, input, output, warmups, takesMedia: hasMedia(input), origin, ...ownFrame };
  within(file, () => wordedOf(entry));
  return entry;
}

/** Ids with words of their own are aliases like others: keys, prices and lists know them. */
const withEndpoints = (model: Model): Model => ({
  ...model,
  aliases: [...new Set([...model.aliases, ...Object.keys(model.endpoints)])],
});

const frameDefaults = ({ defaults, bounds, realtime }: Model) => ({
  ...{ bounds, defaults: { ...defaults, ...realtime.defaults } },
});

const worded = new WeakMap<CatalogEntry, Endpoint[]>();

/** Of its endpoints those with words of their own; made once for each entry. */
export function wordedOf(entry: CatalogEntry): Endpoint[] {
  const known = worded.get(entry) ?? wordedEndpoints(entry);
  worded.set(entry, known);
  return known;
}

/** Every id that means it. */
export const namesOf = ({ model: { id, aliases } }: CatalogEntry): string[] => [...new Set([id, ...aliases])];

/** Without some of its aliases. */
export const withoutAliases = (entry: CatalogEntry, isGone: (alias: string) => boolean): CatalogEntry =>
  entry.model.aliases.some(isGone)
    ? { ...entry, model: { ...entry.model, aliases: entry.model.aliases.filter((alias) => !isGone(alias)) } }
    : entry;

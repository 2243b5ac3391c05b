// `forecourt models`: what this box offers.
import { existsSync } from "node:fs";
import { Command } from "commander";
import type { CatalogEntry } from "../control/catalog/catalog.ts";
import { databaseFile, openDatabase } from "../control/database/open.ts";
import type { Settings } from "../control/settings.ts";
import { createUpdateStore, type Update } from "../control/updates/update-store.ts";
import type { Pin } from "../control/weights/pins.ts";
import { type Presence, presenceOfAll } from "../control/weights/presence.ts";
import { publishedWeights } from "../control/weights/published.ts";
import { deviceKinds } from "../core/device.ts";
import { invariant } from "../core/errors.ts";
import type { TSchema } from "../core/schema.ts";
import type { Model } from "../engine/model.ts";
import { type RepoSource, repoPartsOf } from "../engine/sources.ts";
import { dtypeOf, footprintOf, modelOn, variantsOn } from "../engine/variants.ts";
import { add } from "./models/add.ts";
import { catalogueOf, findModel, tellWrongFiles } from "./models/catalogue.ts";
import { check } from "./models/check.ts";
import { exportBundle } from "./models/export.ts";
import { importBundle } from "./models/import.ts";
import { pull } from "./models/pull.ts";
import { reload } from "./models/reload.ts";
import { remove } from "./models/remove.ts";
import { update } from "./models/update.ts";
import { variantsFor } from "./models/variants.ts";
import { verify } from "./models/verify.ts";
import { type SettingsFlags, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, sizeText, table, timeText } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };

export const models = () =>
  new Command("models")
    .description("The models of this box and their weights.")
    .addCommand(list())
    .addCommand(show())
    .addCommand(add())
    .addCommand(reload())
    .addCommand(pull())
    .addCommand(check())
    .addCommand(verify())
    .addCommand(update())
    .addCommand(exportBundle())
    .addCommand(importBundle())
    .addCommand(remove());

const list = () =>
  withSettings(new Command("list"))
    .summary("list all models")
    .description("Lists the built-in models and those of <data>/models, and says whose weights are on the disk.")
    .option("--json", "print as JSON")
    .action(async ({ json, ...flags }: Flags) => {
      const { catalog, settings } = catalogueOf(flags);
      const models = await withPresence(catalog.list(), settings);
      tellWrongFiles(catalog);
      if (json) return printJson(models.map(published));
      const absent = models.filter(({ weights }) => weights.state === "absent").length;
      printLine(table(["id", "title", "category", "dtype", "weights", "memory", "price", "origin"], models.map(row)));
      if (absent > 0) note(`${absent} models are not on this disk: \`forecourt models pull ID\` fetches one.`);
    });

const show = () =>
  withSettings(new Command("show"))
    .summary("show one model and its inputs")
    .description("Shows one model: what it does, what it takes, what it costs.")
    .argument("<model>", "id or alias")
    .option("--json", "print as JSON")
    .action(async (endpoint: string, { json, ...flags }: Flags) => {
      const { catalog, settings } = catalogueOf(flags);
      const [model] = await withPresence([findModel(catalog, endpoint)], settings);
      invariant(model, "one model gives one");
      const updates = updatesOf(model.entry.model.id, settings);
      if (json)
        return printJson({ ...published(model), updates, input: model.entry.input, output: model.entry.output });
      printLine(describe(model));
      if (updates.length > 0)
        printLine(["", table(["  update", "of", "from", "to", "came to"], updates.map(updateRow))].join("\n"));
    });

function updatesOf(model: string, { data, database: { synchronous } }: Settings): Update[] {
  const file = databaseFile(data);
  if (!existsSync(file)) return [];
  using database = openDatabase({ file, synchronous });
  return createUpdateStore(database).list(model);
}

const updateRow = (update: Update) => [
  `  ${timeText(update.at)}`,
  update.repo,
  update.from.slice(0, 12),
  update.to.slice(0, 12),
  update.state === "failed" ? `failed its trial: ${update.reason}` : "installed",
];

/** `variants`: those that this box needs. */
type Listed = { entry: CatalogEntry; variants: Model[]; weights: Presence };

async function withPresence(entries: readonly CatalogEntry[], settings: Settings): Promise<Listed[]> {
  const variantsOf = await variantsFor({ models: entries.map(({ model }) => model), settings });
  const { data, hub } = settings;
  return await Promise.all(
    entries.map(async (entry) => {
      const variants = variantsOf(entry.model);
      return { entry, variants, weights: await presenceOfAll({ variants, data, caches: hub.caches }) };
    }),
  );
}

const published = ({ entry: { model, origin }, variants, weights }: Listed) => ({
  ...model,
  origin,
  dtypes_here: variants.flatMap((each) => dtypeOf(each) ?? []),
  weights: { ...(weights.folder !== undefined && { folder: weights.folder }), ...publishedWeights(weights) },
});

const settledAt = ({ at }: Pin) => new Date(at).toISOString();

/** Of each source, its folder after it. */
const sourceRows = (model: Model, { pin, beside = {} }: Presence): string[][] =>
  repoPartsOf(model).map(({ folder, source }) => [
    folder === "" ? "from" : "and from",
    `${revisionText(source, folder === "" ? pin : beside[folder]?.pin)}${folder && `, as ${folder}/`}`,
  ]);

/** Of a Hub repository; a branch or tag is some commit only once it was fetched. */
function revisionText(source: RepoSource, pin: Pin | undefined): string {
  const { repo, revision } = source;
  if (pin) return `${repo}, ${revision}: ${pin.commit} since ${settledAt(pin).slice(0, 10)}`;
  return "files" in source
    ? `${repo}, ${revision}`
    : `${repo}, ${revision}: whichever commit that is when it is fetched`;
}

const row = ({ entry: { model, origin }, variants, weights }: Listed) => [
  model.id,
  model.title,
  model.category,
  variants.flatMap((each) => dtypeOf(each) ?? []).join(", "),
  weightsText(weights),
  sizeText(Math.max(...variants.map(footprintOf))),
  priceText(model),
  origin,
];

function weightsText({ state, bytes, wantedBytes }: Presence): string {
  switch (state) {
    case "built-in":
      return "built in";
    case "complete":
      return `on disk, ${sizeText(bytes)}`;
    case "partial":
      return `on disk, ${sizeText(bytes)} of ${sizeText(wantedBytes)}`;
    case "absent":
      return wantedBytes > 0 ? `not here, ${sizeText(wantedBytes)}` : "not here";
  }
}

const licenceText = ({ id, commercial }: Model["licence"]) => `${id}${commercial ? "" : " (no commercial use)"}`;

const priceText = ({ price }: CatalogEntry["model"]) =>
  price.amount === 0 ? "free" : `${price.amount} ${price.currency} per ${price.unit}`;

const memoryText = ({ memory }: Model) =>
  `${sizeText(memory.weights)} loaded, ${sizeText(memory.working)} more while it runs`;

/** Of each variant: where it runs, whether this box needs it, and what it takes. */
function dtypeRows({ entry: { model }, variants: here }: Listed): string[][] {
  if (!model.devices)
    return [
      ["dtype", dtypeOf(model) ?? ""],
      ["memory", memoryText(model)],
    ].filter(([, text]) => text);
  return variantsOn(model, deviceKinds).map((variant, at) => {
    const kinds = deviceKinds.filter((kind) => modelOn(model, kind) === variant).join(", ");
    const place = here.includes(variant) ? `${kinds}, as here` : kinds;
    return [at === 0 ? "dtype" : "", `${variant.dtype} (${place}): ${memoryText(variant)}`];
  });
}

function describe(listed: Listed): string {
  const { entry, weights } = listed;
  const { model, input, origin } = entry;
  const facts = [
    ["id", model.id],
    ...(model.aliases.length > 0 ? [["also as", model.aliases.join(", ")]] : []),
    ["category", model.category],
    ["licence", licenceText(model.licence)],
    ...Object.entries(model.beside).flatMap(([folder, { licence }]) =>
      licence ? [["", `${licenceText(licence)}: ${folder}/`]] : [],
    ),
    ["price", priceText(model)],
    ...dtypeRows(listed),
    ["weights", weightsText(weights)],
    ...(weights.folder ? [["", weights.folder]] : []),
    ...sourceRows(model, weights),
    ["defined in", origin],
  ].map(([name = "", value = ""]) => `  ${name.padEnd(12)}${value}`);
  const inputs = Object.entries(input.properties).map(([name, schema]) => [
    `  ${name}`,
    typeText(schema),
    input.required?.includes(name) ? "required" : defaultText(schema),
    schema.description ?? "",
  ]);
  const head = `${model.title}: ${model.description}`;
  return [head, "", ...facts, "", table(["  input", "type", "default", "meaning"], inputs)].join("\n");
}

function typeText(schema: TSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.join(" | ");
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(typeText).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const range = [schema.minimum, schema.maximum];
  const bounds = range.some((each) => each !== undefined) ? ` ${range[0] ?? ""}..${range[1] ?? ""}` : "";
  return `${schema.media ?? schema.type ?? "any"}${bounds}`;
}

const defaultText = (schema: TSchema) => (schema.default === undefined ? "" : JSON.stringify(schema.default));

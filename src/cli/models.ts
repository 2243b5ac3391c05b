// `forecourt models`: what this box offers.
import { existsSync } from "node:fs";
import { Command } from "commander";
import type { CatalogEntry } from "../control/catalog/catalog.ts";
import { databaseFile, openDatabase } from "../control/database/open.ts";
import type { Settings } from "../control/settings.ts";
import { createUpdateStore, type Update } from "../control/updates/update-store.ts";
import type { Pin } from "../control/weights/pins.ts";
import { type Presence, presenceOf } from "../control/weights/presence.ts";
import type { TSchema } from "../core/schema.ts";
import { add } from "./models/add.ts";
import { catalogueOf, findModel } from "./models/catalogue.ts";
import { check } from "./models/check.ts";
import { exportBundle } from "./models/export.ts";
import { importBundle } from "./models/import.ts";
import { pull } from "./models/pull.ts";
import { remove } from "./models/remove.ts";
import { update } from "./models/update.ts";
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
      const models = await Promise.all(catalog.list().map((entry) => withPresence(entry, settings)));
      if (json) return printJson(models.map(published));
      const absent = models.filter(({ weights }) => weights.state === "absent").length;
      printLine(table(["id", "title", "category", "weights", "memory", "price", "origin"], models.map(row)));
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
      const model = await withPresence(findModel(catalog, endpoint), settings);
      const updates = updatesOf(model.entry.model.id, settings);
      if (json)
        return printJson({ ...published(model), updates, input: model.entry.input, output: model.entry.output });
      printLine(describe(model));
      if (updates.length > 0)
        printLine(["", table(["  update", "from", "to", "came to"], updates.map(updateRow))].join("\n"));
    });

function updatesOf(model: string, { data, database: { synchronous } }: Settings): Update[] {
  const file = databaseFile(data);
  if (!existsSync(file)) return [];
  using database = openDatabase({ file, synchronous });
  return createUpdateStore(database).list(model);
}

const updateRow = (update: Update) => [
  `  ${timeText(update.at)}`,
  update.from.slice(0, 12),
  update.to.slice(0, 12),
  update.state === "failed" ? `failed its trial: ${update.reason}` : "installed",
];

type Listed = { entry: CatalogEntry; weights: Presence };

const withPresence = async (entry: CatalogEntry, { data, hub }: Settings): Promise<Listed> => ({
  entry,
  weights: await presenceOf({ model: entry.model, data, caches: hub.caches }),
});

const published = ({ entry: { model, origin }, weights: { wantedBytes, pin, ...weights } }: Listed) => ({
  ...model,
  origin,
  weights: { ...weights, wanted_bytes: wantedBytes, ...(pin && { commit: pin.commit, settled_at: settledAt(pin) }) },
});

const settledAt = ({ at }: Pin) => new Date(at).toISOString();

/** Of a Hub repository; a branch or tag is some commit only once it was fetched. */
function revisionText({ source }: CatalogEntry["model"], pin: Pin | undefined): string {
  if (!("repo" in source)) return "";
  const { repo, revision } = source;
  if (pin) return `${repo}, ${revision}: ${pin.commit} since ${settledAt(pin).slice(0, 10)}`;
  return "files" in source
    ? `${repo}, ${revision}`
    : `${repo}, ${revision}: whichever commit that is when it is fetched`;
}

const row = ({ entry: { model, origin }, weights }: Listed) => [
  model.id,
  model.title,
  model.category,
  weightsText(weights),
  sizeText(model.memory.weights + model.memory.working),
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

const priceText = ({ price }: CatalogEntry["model"]) =>
  price.amount === 0 ? "free" : `${price.amount} ${price.currency} per ${price.unit}`;

function describe({ entry: { model, input, origin }, weights }: Listed): string {
  const facts = [
    ["id", model.id],
    ...(model.aliases.length > 0 ? [["also as", model.aliases.join(", ")]] : []),
    ["category", model.category],
    ["licence", `${model.licence.id}${model.licence.commercial ? "" : " (no commercial use)"}`],
    ["price", priceText(model)],
    ["memory", `${sizeText(model.memory.weights)} loaded, ${sizeText(model.memory.working)} more while it runs`],
    ["weights", weightsText(weights)],
    ...(weights.folder ? [["", weights.folder]] : []),
    ...("repo" in model.source ? [["from", revisionText(model, weights.pin)]] : []),
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

// `forecourt models`: what this box offers.
import { Command } from "commander";
import { type Catalog, type CatalogEntry, createCatalog } from "../control/catalog/catalog.ts";
import { ForecourtError } from "../core/errors.ts";
import type { TSchema } from "../core/schema.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { printJson, printLine, sizeText, table } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };

export const models = () =>
  new Command("models").description("The models of this box.").addCommand(list()).addCommand(show());

const list = () =>
  withSettings(new Command("list"))
    .summary("list all models")
    .description("Lists the built-in models and those of <data>/models.")
    .option("--json", "print as JSON")
    .action(({ json, ...flags }: Flags) => {
      const entries = catalogOf(flags).list();
      if (json) return printJson(entries.map(published));
      printLine(table(["id", "title", "category", "memory", "price", "origin"], entries.map(row)));
    });

const show = () =>
  withSettings(new Command("show"))
    .summary("show one model and its inputs")
    .description("Shows one model: what it does, what it takes, what it costs.")
    .argument("<model>", "id or alias")
    .option("--json", "print as JSON")
    .action((endpoint: string, { json, ...flags }: Flags) => {
      const entry = findModel(catalogOf(flags), endpoint);
      if (json) return printJson({ ...published(entry), input: entry.input, output: entry.output });
      printLine(describe(entry));
    });

const catalogOf = (flags: SettingsFlags) => createCatalog({ data: settingsOf(flags).settings.data });

/** Throws `not_found` with what is there. */
export function findModel(catalog: Catalog, endpoint: string): CatalogEntry {
  const entry = catalog.find(endpoint);
  if (entry) return entry;
  const known = catalog.list().map(({ model }) => model.id);
  const near = known.filter((id) => id.includes(endpoint));
  const offer = (near.length > 0 ? near : known).join(", ");
  throw new ForecourtError("not_found", `There is no model ${endpoint}. This box has: ${offer}.`);
}

const published = ({ model, origin }: CatalogEntry) => ({ ...model, origin });

const row = ({ model, origin }: CatalogEntry) => [
  model.id,
  model.title,
  model.category,
  sizeText(model.memory.weights + model.memory.working),
  priceText(model),
  origin,
];

const priceText = ({ price }: CatalogEntry["model"]) =>
  price.amount === 0 ? "free" : `${price.amount} ${price.currency} per ${price.unit}`;

function describe({ model, input, origin }: CatalogEntry): string {
  const facts = [
    ["id", model.id],
    ...(model.aliases.length > 0 ? [["also as", model.aliases.join(", ")]] : []),
    ["category", model.category],
    ["licence", `${model.licence.id}${model.licence.commercial ? "" : " (no commercial use)"}`],
    ["price", priceText(model)],
    ["memory", `${sizeText(model.memory.weights)} loaded, ${sizeText(model.memory.working)} more while it runs`],
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

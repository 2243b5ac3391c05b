// `forecourt models remove`: gives the disk back what a model's weights take.
import { Command } from "commander";
import type { Catalog } from "../../control/catalog/catalog.ts";
import { listWeights, removeWeights } from "../../control/weights/library.ts";
import { type Place, placesOf } from "../../control/weights/presence.ts";
import { type StoredPart, storedOf } from "../../control/weights/stored-of.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { isFetched } from "../../engine/sources.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { note, printJson, printLine, sizeText } from "../terminal.ts";
import { catalogueOf, findModel } from "./catalogue.ts";

type Flags = SettingsFlags & { json?: true; force?: true };

export const remove = () =>
  withSettings(new Command("remove"))
    .summary("remove the weights of a model")
    .description("Removes the weights of a model from the data directory. The model itself stays in the catalogue.")
    .argument("<model>", "id or alias")
    .option("--force", "even if other models share them")
    .option("--json", "print as JSON")
    .action(async (endpoint: string, { json, force, ...flags }: Flags) => {
      const { settings, catalog } = catalogueOf(flags);
      const { model } = findModel(catalog, endpoint);
      const parts = await partsHere(model, settings.data);
      const sharers = await sharersOf(model, catalog, settings.data);
      const own = parts.filter(({ weights }) => force || !sharers.has(keyOf(weights)));
      const kept = parts.filter((part) => !own.includes(part));
      const sharing = [...new Set(kept.flatMap(({ weights }) => sharers.get(keyOf(weights)) ?? []))].join(", ");
      if (own.length === 0)
        throw new ForecourtError("misconfigured", `${sharing} would lose the same weights. Use --force for that.`);
      let freed = 0;
      for (const { weights } of own) freed += await removeWeights({ data: settings.data, weights });
      if (json) return printJson({ model: model.id, freed, kept: kept.map(({ weights }) => weights.title) });
      printLine(`${model.id}: ${sizeText(freed)} are free again.`);
      for (const { weights } of kept) note(`${weights.title} stays: ${sharing} would lose it. Use --force for that.`);
    });

async function partsHere(model: Model, data: string): Promise<StoredPart[]> {
  const { id } = model;
  if (!isFetched(model))
    throw new ForecourtError("bad_request", `The weights of ${id} were not fetched, so they are not removed.`);
  const found = await storedOf(model, await listWeights({ data }), data);
  if (found.length > 0) return found;
  throw new ForecourtError("not_found", `The weights of ${id} are not in the data directory.`);
}

/** Other models by the weights that are also theirs. */
async function sharersOf(model: Model, catalog: Catalog, data: string): Promise<Map<string, string[]>> {
  const sharers = new Map<string, string[]>();
  for (const { model: other } of catalog.list()) {
    if (other.id === model.id) continue;
    for (const place of await placesOf(other, data))
      sharers.set(keyOf(place), [...(sharers.get(keyOf(place)) ?? []), other.id]);
  }
  return sharers;
}

const keyOf = ({ folderName, commit }: Place) => `${folderName}@${commit}`;

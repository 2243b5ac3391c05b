// `forecourt models remove`: gives the disk back what a model's weights take.
import { Command } from "commander";
import type { Catalog } from "../../control/catalog/catalog.ts";
import { listWeights, removeWeights, type StoredWeights } from "../../control/weights/library.ts";
import { isFetchable, placeOf } from "../../control/weights/presence.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { printJson, printLine, sizeText } from "../terminal.ts";
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
      const weights = await storedOf(model, settings.data);
      const sharing = await sharersOf(model, catalog, settings.data);
      if (sharing.length > 0 && !force)
        throw new ForecourtError(
          "misconfigured",
          `${sharing.join(", ")} would lose the same weights. Use --force for that.`,
        );
      const freed = await removeWeights({ data: settings.data, weights });
      if (json) return printJson({ model: model.id, freed });
      printLine(`${model.id}: ${sizeText(freed)} are free again.`);
    });

async function storedOf(model: Model, data: string): Promise<StoredWeights> {
  const { id } = model;
  if (!isFetchable(model.source))
    throw new ForecourtError("bad_request", `The weights of ${id} were not fetched, so they are not removed.`);
  const place = await placeOf(model, data);
  const stored = await listWeights({ data });
  const found = stored.find((each) => each.folderName === place?.folderName && each.commit === place.commit);
  if (!found) throw new ForecourtError("not_found", `The weights of ${id} are not in the data directory.`);
  return found;
}

async function sharersOf(model: Model, catalog: Catalog, data: string): Promise<string[]> {
  const key = await keyOf(model, data);
  const others = catalog.list().filter((entry) => entry.model.id !== model.id);
  const keys = await Promise.all(others.map((entry) => keyOf(entry.model, data)));
  return others.flatMap((entry, at) => (keys[at] === key ? [entry.model.id] : []));
}

/** Models of one key have their weights in common. */
async function keyOf(model: Model, data: string): Promise<string> {
  const place = await placeOf(model, data);
  return place ? `${place.folderName}@${place.commit}` : model.id;
}

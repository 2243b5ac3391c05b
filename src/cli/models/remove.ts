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
      const weights = storedOf(model, await listWeights(settings));
      const sharing = sharersOf(model, catalog);
      if (sharing.length > 0 && !force)
        throw new ForecourtError(
          "misconfigured",
          `${sharing.join(", ")} would lose the same weights. Use --force for that.`,
        );
      const freed = await removeWeights({ data: settings.data, weights });
      if (json) return printJson({ model: model.id, freed });
      printLine(`${model.id}: ${sizeText(freed)} are free again.`);
    });

function storedOf({ id, source }: Model, stored: StoredWeights[]): StoredWeights {
  if (!isFetchable(source))
    throw new ForecourtError("bad_request", `The weights of ${id} were not fetched, so they are not removed.`);
  const { folderName, commit } = placeOf(source);
  const found = stored.find((each) => each.folderName === folderName && each.commit === commit);
  if (!found) throw new ForecourtError("not_found", `The weights of ${id} are not in the data directory.`);
  return found;
}

function sharersOf(model: Model, catalog: Catalog): string[] {
  const key = keyOf(model);
  return catalog.list().flatMap((entry) => {
    const isOther = entry.model.id !== model.id && keyOf(entry.model) === key;
    return isOther ? [entry.model.id] : [];
  });
}

function keyOf({ id, source }: Model): string {
  if (!isFetchable(source)) return id;
  const { folderName, commit } = placeOf(source);
  return `${folderName}@${commit}`;
}

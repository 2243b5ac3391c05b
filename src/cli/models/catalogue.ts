// The models that commands about models work on, and how ids are looked up in them.
import { type Catalog, type CatalogEntry, createCatalog } from "../../control/catalog/catalog.ts";
import { ForecourtError } from "../../core/errors.ts";
import { type SettingsFlags, settingsOf } from "../settings-flags.ts";
import { note } from "../terminal.ts";

export function catalogueOf(flags: SettingsFlags) {
  const { settings, origins } = settingsOf(flags);
  return { settings, origins, catalog: createCatalog({ data: settings.data }) };
}

/** Said beside whatever a command has to say of the others. */
export function tellWrongFiles(catalog: Pick<Catalog, "wrong">): void {
  for (const { reason } of catalog.wrong()) note(`A model file is wrong and left out. ${reason}`);
}

/** Throws `not_found` with those that may be meant, and `model_file_wrong`. */
export function findModel(catalog: Catalog, endpoint: string): CatalogEntry {
  const entry = catalog.find(endpoint);
  if (entry) return entry;
  const refusal = catalog.refusal(endpoint);
  if (refusal) throw refusal;
  const known = catalog.list().map(({ model }) => model.id);
  const words = endpoint
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word.length >= SHORTEST_WORD);
  const near = known.filter((id) => words.some((word) => id.includes(word)));
  const way =
    near.length > 0 ? `This box has: ${near.join(", ")}.` : "`forecourt models list` shows those of this box.";
  throw new ForecourtError("not_found", `There is no model ${endpoint}. ${way}`);
}

/** Shorter ones are in too many ids to tell anything: `v2`, `sd`. */
const SHORTEST_WORD = 4;

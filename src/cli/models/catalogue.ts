// The models that commands about models work on, and how ids are looked up in them.
import { type Catalog, type CatalogEntry, createCatalog } from "../../control/catalog/catalog.ts";
import { ForecourtError } from "../../core/errors.ts";
import { type SettingsFlags, settingsOf } from "../settings-flags.ts";

export function catalogueOf(flags: SettingsFlags) {
  const { settings } = settingsOf(flags);
  return { settings, catalog: createCatalog({ data: settings.data }) };
}

/** Throws `not_found` with what is there. */
export function findModel(catalog: Catalog, endpoint: string): CatalogEntry {
  const entry = catalog.find(endpoint);
  if (entry) return entry;
  const known = catalog.list().map(({ model }) => model.id);
  const near = known.filter((id) => id.includes(endpoint));
  const offer = (near.length > 0 ? near : known).join(", ");
  throw new ForecourtError("not_found", `There is no model ${endpoint}. This box has: ${offer}.`);
}

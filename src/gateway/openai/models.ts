// GET /v1/models: what this key may call.
import type { Catalog, CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Key } from "../../control/keys/keys.ts";
import { noModel, usableModels } from "./chosen-model.ts";

/** OpenAI's clients want a time; a model file has none. */
const CREATED = 0;

const modelWords = ({ model }: CatalogEntry) => ({
  id: model.id,
  object: "model",
  created: CREATED,
  owned_by: model.id.split("/")[0],
  description: model.description,
  category: model.category,
  aliases: model.aliases,
});

export const listModels = (catalog: Catalog, caller: Key): Response =>
  Response.json({ object: "list", data: usableModels(catalog, caller).map(modelWords) });

/** Throws `not_found`, also for a model that the key may not use. */
export function showModel(catalog: Catalog, caller: Key, name: string): Response {
  const entry = catalog.find(name);
  if (!entry || !usableModels(catalog, caller).includes(entry)) throw noModel(name);
  return Response.json(modelWords(entry));
}

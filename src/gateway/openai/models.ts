// GET /v1/models: what this key may call, and by which further names.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { givenTo, namedModels } from "../../control/catalog/names.ts";
import type { Key } from "../../control/keys/key.ts";
import { mayUse } from "../../control/keys/patterns.ts";
import { absentModel, type NamedCatalog, usableModels } from "./chosen-model.ts";

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

/** Of a name that the settings give; `root` is the model that it means, or the first of them. */
function nameWords(named: NamedCatalog, caller: Key, name: string) {
  const [first] = namedModels(named, name).filter(({ entry }) => mayUse(caller, entry.model));
  return first ? [{ ...modelWords(first.entry), id: name, aliases: [], root: first.entry.model.id }] : [];
}

export function listModels(named: NamedCatalog, caller: Key): Response {
  const further = Object.keys(named.names).flatMap((name) => nameWords(named, caller, name));
  return Response.json({ object: "list", data: [...usableModels(named.catalog, caller).map(modelWords), ...further] });
}

/** Throws `not_found`, also for a model that the key may not use. */
export function showModel(named: NamedCatalog, caller: Key, name: string): Response {
  const given = givenTo(named.names, name);
  const entry = named.catalog.find(name);
  const [words] = given
    ? nameWords(named, caller, name)
    : entry && mayUse(caller, entry.model)
      ? [modelWords(entry)]
      : [];
  if (!words) throw absentModel(named, name);
  return Response.json(words);
}

// Names that the operator's settings give to models here, so that clients need not be told the models' own.
import type { Catalog, CatalogEntry } from "./catalog.ts";

/** By name: the id or alias of a model, or several, of which the first of the right kind serves a request. */
export type Names = Readonly<Record<string, string | readonly string[]>>;
export type Named = { endpoint: string; entry: CatalogEntry };

/** What a name is given to, whether there is such a model or not; undefined for names that the settings don't give. */
export const givenTo = (names: Names, name: string): readonly string[] | undefined =>
  Object.hasOwn(names, name) ? [names[name] ?? []].flat() : undefined;

/** The models that a name means: those that it is given to, else the one whose id or alias it is. */
export const namedModels = ({ catalog, names }: { catalog: Pick<Catalog, "find">; names: Names }, name: string) =>
  (givenTo(names, name) ?? [name]).flatMap((endpoint): Named[] => {
    const entry = catalog.find(endpoint);
    return entry ? [{ endpoint, entry }] : [];
  });

/** Of a name that leads to no model: why, where a model file is wrong. */
export function refusedName({ catalog, names }: { catalog: Pick<Catalog, "refusal">; names: Names }, name: string) {
  const [refusal] = (givenTo(names, name) ?? [name]).flatMap((endpoint) => catalog.refusal(endpoint) ?? []);
  return refusal;
}

/** Names that lead to no model, with what they should lead to. */
export const vainNames = (catalog: Pick<Catalog, "find">, names: Names): { name: string; model: string }[] =>
  Object.keys(names).flatMap((name) =>
    (givenTo(names, name) ?? []).filter((model) => !catalog.find(model)).map((model) => ({ name, model })),
  );

// The catalogue as operators see it: whole model files, where each comes from, and what of its weights is on the disk.
import type { Appliance } from "../../control/appliance.ts";
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import type { WrongFile } from "../../control/catalog/wrong-file.ts";
import { publishedWeights } from "../../control/weights/published.ts";
import { pageIn, pageQuery, readQuery } from "./read-query.ts";
import { publishedUpdate } from "./updates.ts";

type Parts = Pick<Appliance, "catalog" | "supply" | "updates">;

/** Whole files, and of each it is looked up what is on the disk. */
export const modelPage = pageQuery(200, 1000);

/** What became of the files, and what is wrong with them. Throws `misconfigured` where they cannot be listed. */
export function reloadModels({ reloadModels }: Pick<Appliance, "reloadModels">): Response {
  const { wrong, ...ids } = reloadModels();
  return Response.json({ ...ids, wrong: wrong.map(publishedWrong) });
}

/** By their ids; `next` is null at the end. Every page names the files that are wrong. Throws `invalid_input`. */
export async function listModels({ catalog, ...box }: Parts, query: URLSearchParams): Promise<Response> {
  const { shown, next } = pageIn(catalog.list(), ({ model }) => model.id, readQuery(modelPage, query));
  const wrong = catalog.wrong().map(publishedWrong);
  return Response.json({ models: await Promise.all(shown.map((entry) => listed(entry, box))), next, wrong });
}

export const publishedWrong = ({ file, reason, claims, keeps }: WrongFile) => ({
  ...{ file, reason, claims },
  keeps: keeps ?? null,
});

async function listed({ model, origin }: CatalogEntry, { supply, updates }: Omit<Parts, "catalog">) {
  const weights = publishedWeights(await supply.presenceOf(model));
  return { ...model, origin, weights, updates: updates.history(model.id).map(publishedUpdate) };
}

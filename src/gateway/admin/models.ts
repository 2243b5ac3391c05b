// The catalogue as operators see it: whole model files, where each comes from, and what of its weights is on the disk.
import type { Appliance } from "../../control/appliance.ts";
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { publishedWeights } from "../../control/weights/published.ts";
import { publishedUpdate } from "./updates.ts";

type Parts = Pick<Appliance, "catalog" | "supply" | "updates">;

export async function listModels({ catalog, ...box }: Parts): Promise<Response> {
  return Response.json({ models: await Promise.all(catalog.list().map((entry) => listed(entry, box))) });
}

async function listed({ model, origin }: CatalogEntry, { supply, updates }: Omit<Parts, "catalog">) {
  const weights = publishedWeights(await supply.presenceOf(model));
  return { ...model, origin, weights, updates: updates.history(model.id).map(publishedUpdate) };
}

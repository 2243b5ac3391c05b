// The catalogue as operators see it: whole model files, where each comes from, and what of its weights is on the disk.
import type { Appliance } from "../../control/appliance.ts";
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { publishedUpdate } from "./updates.ts";

type Parts = Pick<Appliance, "catalog" | "supply" | "updates">;

export async function listModels({ catalog, ...box }: Parts): Promise<Response> {
  return Response.json({ models: await Promise.all(catalog.list().map((entry) => listed(entry, box))) });
}

async function listed({ model, origin }: CatalogEntry, { supply, updates }: Omit<Parts, "catalog">) {
  const { state, bytes, wantedBytes, pin } = await supply.presenceOf(model);
  const settled = pin && { commit: pin.commit, settled_at: new Date(pin.at).toISOString() };
  const weights = { state, bytes, wanted_bytes: wantedBytes, ...settled };
  return { ...model, origin, weights, updates: updates.history(model.id).map(publishedUpdate) };
}

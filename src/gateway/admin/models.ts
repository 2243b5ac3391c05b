// The catalogue as operators see it: whole model files, where each comes from, and what of its weights is on the disk.
import type { Appliance } from "../../control/appliance.ts";
import type { CatalogEntry } from "../../control/catalog/catalog.ts";

type Parts = Pick<Appliance, "catalog" | "supply">;

export async function listModels({ catalog, supply }: Parts): Promise<Response> {
  return Response.json({ models: await Promise.all(catalog.list().map((entry) => listed(entry, supply))) });
}

async function listed({ model, origin }: CatalogEntry, supply: Parts["supply"]) {
  const { state, bytes, wantedBytes, pin } = await supply.presenceOf(model);
  const settled = pin && { commit: pin.commit, settled_at: new Date(pin.at).toISOString() };
  return { ...model, origin, weights: { state, bytes, wanted_bytes: wantedBytes, ...settled } };
}

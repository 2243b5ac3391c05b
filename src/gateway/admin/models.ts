// The catalogue as operators see it: whole model files and where each comes from.
import type { Catalog } from "../../control/catalog/catalog.ts";

export const listModels = (catalog: Catalog) =>
  Response.json({ models: catalog.list().map(({ model, origin }) => ({ ...model, origin })) });

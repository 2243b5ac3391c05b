// The models that this box offers: files of models/ inside the executable, then <data>/models/, by id and alias.
import type { TObject } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";

/** A model with what follows from its file: its own schemas (pipeline schema + defaults + bounds). */
export type CatalogEntry = {
  model: Model;
  input: TObject;
  output: TObject;
  /** `built-in` or the path of the operator's file. */
  origin: string;
};

export type Catalog = {
  list(): CatalogEntry[];
  /** By id or alias. */
  find(endpoint: string): CatalogEntry | undefined;
  /** Splits a request path into the longest known endpoint id and the rest (`fal-ai/flux/dev/stream` -> `/stream`). */
  match(path: string): { entry: CatalogEntry; endpoint: string; rest: string } | undefined;
};

// What the platform API tells of a model beside its id.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { choice, Type } from "../../core/schema.ts";
import { thumbnail } from "../docs/thumbnail.ts";
import type { Roots } from "../fal/call.ts";
import { nullable } from "./query.ts";

const url = Type.String({ format: "uri" });

export const metadataSchema = Type.Object({
  display_name: Type.String(),
  category: Type.String(),
  description: Type.String(),
  status: choice(["active", "deprecated"]),
  tags: Type.Array(Type.String()),
  aliases: Type.Array(Type.String(), { description: "Other ids of the same model" }),
  updated_at: Type.String({ format: "date-time", description: "When this box read the model's file" }),
  date: Type.String({ format: "date-time" }),
  is_favorited: nullable(Type.Boolean()),
  thumbnail_url: url,
  model_url: url,
  stream_url: url,
  highlighted: Type.Boolean(),
  pinned: Type.Boolean(),
  license_type: choice(["commercial", "research", "private"]),
  kind: choice(["inference", "training"]),
});

/** Files of models/ bear no date; they are read when the server starts. */
const READ_AT = new Date().toISOString();

export function metadataOf({ model }: CatalogEntry, endpoint: string, { origin }: Pick<Roots, "origin">) {
  return {
    display_name: model.title,
    category: model.category,
    description: model.description,
    status: "active",
    tags: model.tags,
    aliases: model.aliases,
    updated_at: READ_AT,
    date: READ_AT,
    is_favorited: null,
    thumbnail_url: thumbnail(model.title),
    model_url: `${origin}/run/${endpoint}`,
    stream_url: `${origin}/run/${endpoint}/stream`,
    highlighted: false,
    pinned: false,
    license_type: model.licence.commercial ? "commercial" : "research",
    kind: "inference",
  };
}

// GET /models: the catalogue, searched, filtered and page by page; with each model's OpenAPI document where that is asked for.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { ForecourtError } from "../../core/errors.ts";
import { choice, Type } from "../../core/schema.ts";
import { modelDocument } from "../docs/model-document.ts";
import type { Roots } from "../fal/call.ts";
import { metadataOf, metadataSchema } from "./model-metadata.ts";
import { openGet, type PlatformParts } from "./operation.ts";
import { idList, nullable, offsetOf, pageFields, pageResult, toCursor } from "./query.ts";

const expansions = ["openapi-3.0", "enterprise_status"] as const;

/** An entry under the id that it was asked for: the model's own or an alias. */
export type Found = { entry: CatalogEntry; endpoint: string };

export const listModels = openGet({
  path: "/models",
  summary: "Search the catalogue, or look up models by id",
  query: Type.Object({
    ...pageFields(100, 50),
    endpoint_id: Type.Optional(idList("Only these; aliases are known too")),
    q: Type.Optional(Type.String({ maxLength: 500, description: "Words that id, title, description or tags have" })),
    category: Type.Optional(Type.String({ maxLength: 100 })),
    status: Type.Optional(choice(["active", "deprecated"])),
    expand: Type.Optional(Type.Array(choice(expansions), { description: "Further parts of each model" })),
  }),
  result: Type.Object({
    models: Type.Array(
      Type.Object({
        endpoint_id: Type.String(),
        metadata: metadataSchema,
        openapi: Type.Optional(Type.Object({}, { description: "The model's own document" })),
        enterprise_status: Type.Optional(choice(["ready", "pending"])),
      }),
    ),
    ...pageResult,
  }),
  answer({ catalog }, { query, roots }) {
    const { endpoint_id: ids, limit, expand = [] } = query;
    const found = (ids ? lookUp(catalog, ids) : all(catalog)).filter((each) => fits(each, query));
    const from = offsetOf(query.cursor);
    const hasMore = found.length > from + limit;
    return {
      models: found.slice(from, from + limit).map((each) => published(each, expand, roots)),
      next_cursor: hasMore ? toCursor([from + limit]) : null,
      has_more: hasMore,
    };
  },
});

const all = (catalog: PlatformParts["catalog"]): Found[] =>
  catalog.list().map((entry) => ({ entry, endpoint: entry.model.id }));

/** Unknown ids are left out. Throws `not_found` when none is known. */
export function lookUp(catalog: PlatformParts["catalog"], ids: string[]): Found[] {
  const found = [...new Set(ids)].flatMap((endpoint) => {
    const entry = catalog.find(endpoint);
    return entry ? [{ entry, endpoint }] : [];
  });
  if (found.length > 0) return found;
  const [refusal] = ids.flatMap((id) => catalog.refusal(id) ?? []);
  throw (
    refusal ?? new ForecourtError("not_found", `This box has no model ${ids.slice(0, 3).join(", ").slice(0, 300)}.`)
  );
}

type Filters = { q?: string; category?: string; status?: "active" | "deprecated" };

/** Each word has to be somewhere. */
function fits({ entry: { model } }: Found, { q = "", category, status = "active" }: Filters): boolean {
  if (status !== "active" || (category !== undefined && model.category !== category)) return false;
  const text = [model.id, ...model.aliases, model.title, model.description, model.category, ...model.tags]
    .join(" ")
    .toLowerCase();
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function published({ entry, endpoint }: Found, expand: (typeof expansions)[number][], roots: Roots) {
  return {
    endpoint_id: endpoint,
    metadata: metadataOf(entry, endpoint, roots),
    ...(expand.includes("openapi-3.0") && { openapi: modelDocument(entry, endpoint, roots) }),
    ...(expand.includes("enterprise_status") && {
      enterprise_status: entry.model.licence.commercial ? "ready" : "pending",
    }),
  };
}

export const priceResult = Type.Object({
  endpoint_id: Type.String(),
  unit_price: Type.Number(),
  unit: Type.String({ description: "image, megapixel, second, request..." }),
  currency: nullable(Type.String()),
});

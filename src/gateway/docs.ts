// What models there are and how to call them: the Swagger page and document, and each model's own. No key needed.
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import type { Catalog, CatalogEntry } from "../control/catalog/catalog.ts";
import { ForecourtError } from "../core/errors.ts";
import { liveDocument } from "./docs/box-document.ts";
import { completeDocument } from "./docs/complete-document.ts";
import { llmsIndex, llmsText } from "./docs/llms-text.ts";
import { modelDocument } from "./docs/model-document.ts";
import type { OpenApiSchema } from "./docs/openapi-schema.ts";
import { swaggerAsset, swaggerPage } from "./docs/swagger-page.ts";
import { type Roots, rootsOf } from "./fal/call.ts";
import { originOf, urlOf } from "./origin.ts";

type DocsParts = { catalog: Catalog; version: string; publicUrl: string };

export const docs = ({ catalog, version, publicUrl }: DocsParts) =>
  new Elysia({ name: "docs" })
    .onAfterHandle({ as: "scoped" }, ({ path, response }) =>
      path === DOCUMENT && isDocument(response) ? completeDocument(response) : undefined,
    )
    .use(swagger({ provider: "swagger-ui", specPath: DOCUMENT, documentation: liveDocument({ catalog, version }) }))
    // Relative, so that it also holds below a reverse proxy's path.
    .get("/", () => new Response(null, { status: 302, headers: { location: "swagger" } }), hidden())
    // Replaces the plugin's own page, which would load its parts from a public server.
    .get("/swagger", swaggerPage, hidden())
    .get("/swagger/assets/:name", ({ params }) => swaggerAsset(params.name), hidden())
    .get("/models", () => Response.json({ models: catalog.list().map(summary) }), {
      detail: { tags: ["Models"], summary: "All models of this box", security: [] },
    })
    .get("/api/openapi/queue/openapi.json", ({ request }) => falDocument(request, { catalog, publicUrl }), hidden())
    .get(
      "/llms.txt",
      ({ request }) => markdown(llmsIndex(catalog.list(), rootsOf(originOf(request, publicUrl)))),
      hidden(),
    )
    .get(
      "/models/*",
      ({ request, params }) =>
        describeModel({ catalog, path: params["*"], roots: rootsOf(originOf(request, publicUrl)) }),
      hidden(),
    );

const DOCUMENT = "/swagger/json";
const isDocument = (value: unknown): value is { paths: OpenApiSchema } =>
  typeof value === "object" && value !== null && "paths" in value;

/** A new one for each route, because the router writes into it. */
const hidden = () => ({ detail: { hide: true } });

const summary = ({ model }: CatalogEntry) => ({
  endpoint_id: model.id,
  aliases: model.aliases,
  title: model.title,
  description: model.description,
  category: model.category,
  licence: model.licence,
  price: model.price,
  tags: model.tags,
});

function describeModel({ catalog, path, roots }: { catalog: Catalog; path: string; roots: Roots }): Response {
  const [, endpoint = "", document = ""] = /^(.{1,200}?)(\/openapi\.json|\/llms\.txt|)\/?$/.exec(path) ?? [];
  const entry = catalog.find(endpoint);
  if (!entry) throw catalog.refusal(endpoint) ?? noModel(endpoint);
  if (document === "/openapi.json") return Response.json(modelDocument(entry, endpoint, roots));
  if (document === "/llms.txt") return markdown(llmsText(entry, endpoint, roots));
  return Response.json({ ...summary(entry), examples: entry.model.examples, input: entry.input, output: entry.output });
}

/** At the address that fal's tools know; for an unknown model they expect `null`. */
function falDocument(request: Request, { catalog, publicUrl }: Pick<DocsParts, "catalog" | "publicUrl">): Response {
  const endpoint = urlOf(request).searchParams.get("endpoint_id") ?? "";
  const entry = catalog.find(endpoint);
  if (!entry) return Response.json(null, { status: 404 });
  return Response.json(modelDocument(entry, endpoint, rootsOf(originOf(request, publicUrl))));
}

const noModel = (endpoint: string) =>
  new ForecourtError("not_found", `There is no model ${endpoint.slice(0, 100)}. See /models.`);

const markdown = (text: string) => new Response(text, { headers: { "content-type": "text/markdown; charset=utf-8" } });

// One model's own OpenAPI document, in the form that fal publishes and its tools read (fal-protocol.md 10).
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Roots } from "../fal/call.ts";
import { examplesOf, priceText } from "./model-operations.ts";
import { toOpenApi, toOpenApiInput } from "./openapi-schema.ts";
import { pascalId } from "./schema-names.ts";
import {
  jsonContent,
  logsParameter,
  ref,
  requestIdParameter,
  securitySchemes,
  sharedSchemas,
} from "./shared-schemas.ts";
import { thumbnail } from "./thumbnail.ts";

/** `endpoint` is the id that was asked for: the model's own or an alias. */
export function modelDocument(entry: CatalogEntry, endpoint: string, roots: Roots) {
  const { model } = entry;
  const name = pascalId(endpoint);
  const page = `${roots.origin}/models/${endpoint}`;
  return {
    openapi: "3.0.4",
    info: {
      title: `Queue OpenAPI for ${endpoint}`,
      version: "1.0.0",
      description: `${model.description}\n\n${priceText(model)}`,
      "x-fal-metadata": {
        endpointId: endpoint,
        category: model.category,
        thumbnailUrl: thumbnail(model.title),
        playgroundUrl: `${roots.origin}/swagger`,
        documentationUrl: `${page}/llms.txt`,
      },
    },
    servers: [{ url: roots.queue }],
    security: [{ apiKeyAuth: [] }],
    paths: pathsOf(entry, endpoint, name),
    components: {
      securitySchemes,
      schemas: {
        QueueStatus: sharedSchemas.QueueStatus,
        [`${name}Input`]: { title: `${name}Input`, ...toOpenApiInput(entry.input) },
        [`${name}Output`]: { title: `${name}Output`, ...toOpenApi(entry.output) },
      },
    },
  };
}

function pathsOf(entry: CatalogEntry, endpoint: string, name: string) {
  const status = { 200: { description: "The request status.", ...jsonContent(ref("QueueStatus")) } };
  const ofRequest = `/${endpoint}/requests/{request_id}`;
  const success = { type: "object", properties: { success: { type: "boolean" } } };
  return {
    [`${ofRequest}/status`]: {
      get: { parameters: [requestIdParameter, logsParameter], responses: status },
    },
    [`${ofRequest}/cancel`]: {
      put: {
        parameters: [requestIdParameter],
        responses: { 200: { description: "The request was cancelled.", ...jsonContent(success) } },
      },
    },
    [`/${endpoint}`]: {
      post: {
        requestBody: { required: true, ...jsonContent(ref(`${name}Input`), examplesOf(entry)) },
        responses: status,
      },
    },
    [ofRequest]: {
      get: {
        parameters: [requestIdParameter],
        responses: { 200: { description: "Result of the request.", ...jsonContent(ref(`${name}Output`)) } },
      },
    },
  };
}

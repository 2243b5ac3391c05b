// One model's operations in the document of the whole box: run it now, as a stream, or through the queue.
import type { CatalogEntry, Endpoint } from "../../control/catalog/catalog.ts";
import { type OpenApiSchema, toOpenApi, toOpenApiInput } from "./openapi-schema.ts";
import { jsonContent, logsParameter, ref, refusals, requestIdParameter, webhookParameter } from "./shared-schemas.ts";

type Described = { paths: Record<string, OpenApiSchema>; schemas: Record<string, OpenApiSchema> };

/** `name` is unique in the document; its schemas are `<name>Input` and `<name>Output`. */
export function modelOperations({ endpoint, entry }: Endpoint, name: string): Described {
  const { model, input, output } = entry;
  const requestBody = { required: true, ...jsonContent(ref(`${name}Input`), examplesOf(entry)) };
  const shared = { endpoint, name, tags: [model.id], result: jsonContent(ref(`${name}Output`)) };
  return {
    schemas: { [`${name}Input`]: toOpenApiInput(input), [`${name}Output`]: toOpenApi(output) },
    paths: { ...submitting(model, { ...shared, requestBody }), ...following(shared) },
  };
}

type Shared = { endpoint: string; name: string; tags: string[]; result: OpenApiSchema };

const status = { description: "Where the request stands", ...jsonContent(ref("QueueStatus")) };

function submitting(
  model: CatalogEntry["model"],
  { endpoint, name, tags, result, requestBody }: Shared & OpenApiSchema,
) {
  const post = (verb: string, more: OpenApiSchema) => ({
    post: { tags, operationId: `${verb}${name}`, requestBody, ...more },
  });
  const text = { type: "string" };
  const data = { ...text, description: "JSON: an output, perhaps partial" };
  const events = { "text/event-stream": { schema: { type: "object", properties: { event: text, data } } } };
  return {
    [`/run/${endpoint}`]: post("run", {
      summary: `${model.title}: run and wait for the result`,
      description: `${model.description}\n\n${priceText(model)}`,
      responses: { 200: { description: "The model's output", ...result }, ...refusals },
    }),
    [`/run/${endpoint}/stream`]: post("stream", {
      summary: `${model.title}: run and see partial results`,
      description: "Server-sent events: partial outputs as they come, the whole result last.",
      responses: { 200: { description: "Events", content: events }, ...refusals },
    }),
    [`/queue/${endpoint}`]: post("submit", {
      summary: `${model.title}: put into the queue`,
      description: "Answers at once; a wrong input shows when the result is fetched.",
      parameters: [webhookParameter],
      responses: { 200: status, 401: refusals[401] },
    }),
  };
}

function following({ endpoint, name, tags, result }: Shared) {
  const ofRequest = `/queue/${endpoint}/requests/{request_id}`;
  const parameters = [requestIdParameter];
  const early = { description: "Still in progress", ...jsonContent(ref("Failure")) };
  return {
    [`${ofRequest}/status`]: {
      get: {
        tags,
        operationId: `status${name}`,
        summary: "Where a request stands",
        parameters: [...parameters, logsParameter],
        responses: { 200: { ...status, description: "It is over" }, 202: status, 401: refusals[401] },
      },
    },
    [ofRequest]: {
      get: {
        tags,
        operationId: `result${name}`,
        summary: "The result of a request",
        parameters,
        responses: { 200: { description: "The model's output", ...result }, 400: early, ...refusals },
      },
    },
    [`${ofRequest}/cancel`]: {
      put: {
        tags,
        operationId: `cancel${name}`,
        summary: "Cancel a request",
        parameters,
        responses: {
          202: { description: "It will end" },
          400: { description: "It was over already" },
          401: refusals[401],
        },
      },
    },
  };
}

export function examplesOf({ model: { examples } }: Pick<CatalogEntry, "model">): OpenApiSchema {
  if (examples.length === 0) return {};
  const named = examples.map((value, index) => [`Example ${index + 1}`, { value }] as const);
  return { examples: Object.fromEntries(named) };
}

export const priceText = ({ price }: CatalogEntry["model"]) =>
  price.amount === 0 ? "Free of charge." : `${price.amount} ${price.currency} per ${price.unit}.`;

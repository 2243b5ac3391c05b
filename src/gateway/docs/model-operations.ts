// One model's operations in the document of the whole box: run it now, or through the queue.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { type OpenApiSchema, toOpenApi } from "./openapi-schema.ts";
import { jsonContent, logsParameter, ref, refusals, requestIdParameter } from "./shared-schemas.ts";

type Described = { paths: Record<string, OpenApiSchema>; schemas: Record<string, OpenApiSchema> };

/** `name` is unique in the document; its schemas are `<name>Input` and `<name>Output`. */
export function modelOperations({ model, input, output }: CatalogEntry, name: string): Described {
  const shared = { tags: [model.id] };
  const requestBody = { required: true, ...jsonContent(ref(`${name}Input`), examplesOf(model.examples)) };
  const result = { description: "The model's output", ...jsonContent(ref(`${name}Output`)) };
  const status = { description: "Where the request stands", ...jsonContent(ref("QueueStatus")) };
  const ofRequest = `/queue/${model.id}/requests/{request_id}`;
  const about = `${model.description}\n\n${priceText(model)}`;
  return {
    schemas: { [`${name}Input`]: toOpenApi(input), [`${name}Output`]: toOpenApi(output) },
    paths: {
      [`/run/${model.id}`]: {
        post: {
          ...shared,
          operationId: `run${name}`,
          summary: `${model.title}: run and wait for the result`,
          description: about,
          requestBody,
          responses: { 200: result, ...refusals },
        },
      },
      [`/queue/${model.id}`]: {
        post: {
          ...shared,
          operationId: `submit${name}`,
          summary: `${model.title}: put into the queue`,
          description: "Answers at once; a wrong input shows when the result is fetched.",
          requestBody,
          responses: { 200: status, 401: refusals[401] },
        },
      },
      [`${ofRequest}/status`]: {
        get: {
          ...shared,
          operationId: `status${name}`,
          summary: "Where a request stands",
          parameters: [requestIdParameter, logsParameter],
          responses: { 200: { ...status, description: "It is over" }, 202: status, 401: refusals[401] },
        },
      },
      [ofRequest]: {
        get: {
          ...shared,
          operationId: `result${name}`,
          summary: "The result of a request",
          parameters: [requestIdParameter],
          responses: {
            200: result,
            400: { description: "Still in progress", ...jsonContent(ref("Failure")) },
            ...refusals,
          },
        },
      },
      [`${ofRequest}/cancel`]: {
        put: {
          ...shared,
          operationId: `cancel${name}`,
          summary: "Cancel a request",
          parameters: [requestIdParameter],
          responses: {
            202: { description: "It will end" },
            400: { description: "It was over already" },
            401: refusals[401],
          },
        },
      },
    },
  };
}

export function examplesOf(examples: OpenApiSchema[]): OpenApiSchema {
  if (examples.length === 0) return {};
  const named = examples.map((value, index) => [`Example ${index + 1}`, { value }] as const);
  return { examples: Object.fromEntries(named) };
}

export const priceText = ({ price }: CatalogEntry["model"]) =>
  price.amount === 0 ? "Free of charge." : `${price.amount} ${price.currency} per ${price.unit}.`;

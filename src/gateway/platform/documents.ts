// The platform API in the document of the whole box, from the table that also routes it.

import type { TObject } from "../../core/schema.ts";
import { toOpenApi, toOpenApiInput } from "../docs/openapi-schema.ts";
import { jsonContent, ref } from "../docs/shared-schemas.ts";
import { parametersOf } from "../query-parameters.ts";
import type { Operation } from "./operation.ts";
import { operations } from "./operations.ts";

const text = { type: "string" } as const;

export const platformSchemas = {
  PlatformError: {
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          type: {
            type: "string",
            enum: [
              ...["authorization_error", "validation_error", "not_found", "rate_limited"],
              ...["server_error", "not_implemented"],
            ],
          },
          message: text,
          request_id: text,
        },
        required: ["type", "message", "request_id"],
      },
    },
    required: ["error"],
  },
};

type PathItems = Record<string, Record<string, unknown>>;

export function platformPaths(): PathItems {
  const paths: PathItems = {};
  for (const operation of operations) {
    const path = `/platform/v1${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: described(operation) };
  }
  return paths;
}

const tags = ["Platform"];
const IDEMPOTENCY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  schema: text,
  description: "The same key within ten minutes: the same answer, and nothing is done twice",
};

function described(operation: Operation) {
  const { method, path, access, summary, query, body, result, status } = operation;
  const refused = (description: string) => ({ description, ...jsonContent(ref("PlatformError")) });
  const isChange = method !== "GET";
  return {
    tags,
    operationId: operationId(operation),
    summary: access === "admin" ? `${summary} (admin key)` : summary,
    ...(access === "open" && { security: [] }),
    parameters: [...namesOf(path), ...parametersOf(query), ...(isChange ? [IDEMPOTENCY] : [])],
    ...(Object.keys(body.properties).length > 0 && {
      requestBody: bodyOf(body),
    }),
    responses: {
      [status]: { description: "Done", ...(result && jsonContent(toOpenApi(result))) },
      400: refused("Something asked for is wrong"),
      ...(access !== "open" && { 401: refused("No key, or not a valid one"), 403: refused("Not with this key") }),
      404: refused("There is no such thing"),
    },
  };
}

/** An empty body is `{}`: it will do where nothing is required. */
function bodyOf(body: TObject) {
  const schema = toOpenApiInput(body);
  return { required: schema.required !== undefined, ...jsonContent(schema) };
}

const operationId = ({ method, path }: Operation) =>
  `platform${[method.toLowerCase(), ...path.split(/[^a-z]+/i)].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")}`;

const namesOf = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: text }));

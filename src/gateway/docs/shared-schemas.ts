// Schemas that every document needs: a request's status, its ticket, and fal's two shapes of failure.
import type { OpenApiSchema } from "./openapi-schema.ts";

const text = { type: "string" } as const;
const url = { type: "string", format: "uri" } as const;

export const securitySchemes = {
  apiKeyAuth: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "`Key <key_id>:<key_secret>`; on this page the bare `<key_id>:<key_secret>` will do.",
  },
} as const;

const logEntry = {
  type: "object",
  properties: { message: text, timestamp: { type: "string", format: "date-time" }, level: text, source: text },
  required: ["message", "timestamp"],
};

const urls = { response_url: url, status_url: url, cancel_url: url };

export const sharedSchemas = {
  QueueStatus: {
    type: "object",
    properties: {
      status: { type: "string", enum: ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"] },
      request_id: text,
      ...urls,
      queue_position: { type: "integer", description: "Requests ahead of this one, while it is queued." },
      estimated_wait: {
        type: "number",
        description: "Seconds until it begins, as far as earlier runs of its model tell.",
      },
      logs: { type: "array", nullable: true, items: logEntry },
      metrics: { type: "object", properties: { inference_time: { type: "number", nullable: true } } },
      error: { type: "string", description: "Why a completed request has no result." },
      error_type: text,
    },
    required: ["status", "request_id"],
  },
  ValidationError: {
    type: "object",
    properties: {
      detail: {
        type: "array",
        items: {
          type: "object",
          properties: {
            loc: { type: "array", items: { anyOf: [text, { type: "integer" }] } },
            msg: text,
            type: text,
            ctx: { type: "object" },
            input: {},
            url,
          },
          required: ["loc", "msg", "type"],
        },
      },
    },
    required: ["detail"],
  },
  AnyFailure: {
    type: "object",
    description:
      "`detail` is a sentence, or names the fields that are wrong; requests that nobody knows have `status` alone.",
    properties: {
      detail: { anyOf: [text, { type: "array", items: { type: "object" } }] },
      error_type: text,
      status: text,
    },
  },
  Failure: {
    type: "object",
    properties: { detail: text, error_type: text },
    required: ["detail"],
  },
} satisfies Record<string, OpenApiSchema>;

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

export const jsonContent = (schema: OpenApiSchema, more: OpenApiSchema = {}) => ({
  content: { "application/json": { schema, ...more } },
});

/** What any call may be refused with. */
export const refusals = {
  401: { description: "No key, or not a valid one", ...jsonContent(ref("Failure")) },
  422: { description: "The input is wrong; the fields are named", ...jsonContent(ref("ValidationError")) },
};

export const requestIdParameter = { name: "request_id", in: "path", required: true, schema: text };
export const webhookParameter = {
  name: "fal_webhook",
  in: "query",
  required: false,
  schema: url,
  description: "Where the result is to be sent by POST, signed with the key of /.well-known/jwks.json",
};
export const logsParameter = {
  name: "logs",
  in: "query",
  required: false,
  schema: { type: "number" },
  description: "1 to include the request's log lines",
};

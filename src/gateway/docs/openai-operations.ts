// OpenAI's API in the document of the whole box.
import { described } from "./openai-bodies.ts";
import { type OpenApiSchema, toOpenApiInput } from "./openapi-schema.ts";
import { jsonContent, ref } from "./shared-schemas.ts";

export const openAiSchemas: Record<string, OpenApiSchema> = {
  OpenAiError: {
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          message: { type: "string" },
          type: { type: "string" },
          param: { type: "string", nullable: true },
          code: { type: "string", nullable: true },
        },
        required: ["message", "type"],
      },
    },
    required: ["error"],
  },
  ...Object.fromEntries(described.map(({ id, body }) => [`${id}Body`, toOpenApiInput(body)])),
};

const tags = ["OpenAI"];
const object = jsonContent({ type: "object" });
/** With `stream`, events. */
const answered = { content: { ...object.content, "text/event-stream": { schema: { type: "object" } } } };

export function openAiPaths(): Record<string, OpenApiSchema> {
  const calls = described.map(({ path, id, summary, example, isForm }): [string, OpenApiSchema] => [
    path,
    {
      post: {
        ...{ operationId: id, summary, tags },
        requestBody: {
          required: true,
          ...(isForm
            ? { content: { "multipart/form-data": { schema: ref(`${id}Body`) } } }
            : jsonContent(ref(`${id}Body`), { example })),
        },
        responses: { 200: { description: "The answer", ...answered } },
      },
    },
  ]);
  const named = [{ name: "model", in: "path", required: true, schema: { type: "string" } }];
  const list = { operationId: "OpenAiModels", summary: "Models that this key may call", tags };
  const one = { operationId: "OpenAiModel", summary: "One model", tags, parameters: named };
  const id = [{ name: "id", in: "path", required: true, schema: { type: "string" } }];
  const response = { operationId: "OpenAiResponseOf", summary: "A response, by its id", tags, parameters: id };
  const cancel = { operationId: "OpenAiResponseCancel", summary: "End a response early", tags, parameters: id };
  const shown = { responses: { 200: { description: "What was asked for", ...object } } };
  return {
    ...Object.fromEntries(calls),
    "/v1/models": { get: { ...list, ...shown } },
    "/v1/models/{model}": { get: { ...one, ...shown } },
    "/v1/responses/{id}": { get: { ...response, ...shown } },
    "/v1/responses/{id}/cancel": { post: { ...cancel, ...shown } },
  };
}

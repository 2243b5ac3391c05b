// OpenAI's API in the document of the whole box.
import type { TObject } from "../../core/schema.ts";
import { chatBody, completionBody } from "../openai/chat-body.ts";
import { editBody, imageBody } from "../openai/image-body.ts";
import { type OpenApiSchema, toOpenApiInput } from "./openapi-schema.ts";
import { jsonContent, ref } from "./shared-schemas.ts";

type Described = { path: string; id: string; summary: string; body: TObject } & (
  | { example: Record<string, unknown>; isForm?: undefined }
  | { example?: undefined /** multipart/form-data, of which texts and files are parts. */; isForm: true }
);

const messages = [{ role: "user", content: "Hello!" }];

const described: Described[] = [
  {
    path: "/v1/chat/completions",
    id: "OpenAiChatCompletion",
    summary: "Answer a conversation; with `stream`, in chunks",
    body: chatBody,
    example: { model: "forecourt/demo-llama", messages },
  },
  {
    path: "/v1/completions",
    id: "OpenAiCompletion",
    summary: "Let a text go on",
    body: completionBody,
    example: { model: "forecourt/demo-llama", prompt: "Hello" },
  },
  {
    path: "/v1/images/generations",
    id: "OpenAiImage",
    summary: "Draw pictures; with `stream`, with previews",
    body: imageBody,
    example: { model: "forecourt/demo-diffusion", prompt: "a big red circle on a blue ground" },
  },
  {
    path: "/v1/images/edits",
    id: "OpenAiImageEdit",
    summary: "Draw a picture anew, or the parts of it that a mask shows",
    body: editBody,
    isForm: true,
  },
];

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
  const shown = { responses: { 200: { description: "What was asked for", ...object } } };
  return {
    ...Object.fromEntries(calls),
    "/v1/models": { get: { ...list, ...shown } },
    "/v1/models/{model}": { get: { ...one, ...shown } },
  };
}

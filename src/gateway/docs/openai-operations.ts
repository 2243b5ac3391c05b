// OpenAI's API in the document of the whole box.
import type { TObject } from "../../core/schema.ts";
import { itemsBody, metadataBody } from "../openai/conversations/body.ts";
import { inputItemsQuery } from "../openai/responses/input-items.ts";
import { batchPaths } from "./batch-operations.ts";
import { described } from "./openai-bodies.ts";
import { type OpenApiSchema, toOpenApiInput } from "./openapi-schema.ts";
import { jsonContent, ref } from "./shared-schemas.ts";

const formName = (id: string) => `${id}Form`;
const jsonName = (id: string) => `${id}Body`;

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
  ...Object.fromEntries(
    described.flatMap(({ id, form, json }) => [
      ...(form ? [[formName(id), toOpenApiInput(form)]] : []),
      ...(json ? [[jsonName(id), toOpenApiInput(json.body)]] : []),
    ]),
  ),
};

const tags = ["OpenAI"];
const object = jsonContent({ type: "object" });
/** With `stream`, events. */
const answered = { content: { ...object.content, "text/event-stream": { schema: { type: "object" } } } };

const inPath = (name: string) => ({ name, in: "path", required: true, schema: { type: "string" } });
const inQuery = (name: string, schema: OpenApiSchema) => ({ name, in: "query", required: false, schema });

export function openAiPaths(): Record<string, OpenApiSchema> {
  const calls = described.map(({ path, id, summary, json, form }): [string, OpenApiSchema] => [
    path,
    {
      post: {
        ...{ operationId: id, summary, tags },
        requestBody: {
          // A body of which nothing must be there may be left out.
          required: form !== undefined || (json?.body.required ?? []).length > 0,
          content: {
            ...(form && { "multipart/form-data": { schema: ref(formName(id)) } }),
            ...(json && jsonContent(ref(jsonName(id)), { example: json.example }).content),
          },
        },
        responses: { 200: { description: "The answer", ...answered } },
      },
    },
  ]);
  const made = Object.fromEntries(calls);
  const one = { operationId: "OpenAiModel", summary: "One model", tags, parameters: [inPath("model")] };
  const list = { operationId: "OpenAiModels", summary: "Models that this key may call", tags };
  const of = (operationId: string, summary: string, query: OpenApiSchema[] = []) => ({
    ...{ operationId, summary, tags },
    parameters: [inPath("id"), ...query],
  });
  const response = of("OpenAiResponseOf", "A response, by its id; with `stream`, its events again", [
    inQuery("stream", { type: "boolean", default: false }),
  ]);
  const forget = of("OpenAiResponseDelete", "Forget a response: what it was asked and said");
  const cancel = of("OpenAiResponseCancel", "End a response early");
  const pages = Object.entries(inputItemsQuery.properties).map(([name, schema]) => inQuery(name, { ...schema }));
  const items = of("OpenAiResponseInput", "What a response was asked, the last item first", pages);
  const shown = { responses: { 200: { description: "What was asked for", ...object } } };
  const shownOrSent = { responses: { 200: { description: "What was asked for", ...answered } } };
  const within = (name: string, summary: string, more: OpenApiSchema[] = []) => ({
    ...of(`OpenAiConversation${name}`, summary, more),
    ...shown,
  });
  const given = (schema: TObject) => ({ requestBody: { required: true, ...jsonContent(toOpenApiInput(schema)) } });
  const item = [inPath("item")];
  const voices = {
    ...{ operationId: "OpenAiVoices", summary: "Voices of one speech model, or of all whose weights are here", tags },
    parameters: [inQuery("model", { type: "string" })],
  };
  const speakers = { operationId: "OpenAiSpeechModels", summary: "Speech models that this key may call", tags };
  return {
    ...made,
    ...batchPaths(made),
    "/v1/conversations/{id}": {
      get: within("Of", "A conversation, by its id"),
      post: { ...within("Mark", "Give a conversation other marks"), ...given(metadataBody) },
      delete: within("Delete", "Forget a conversation; responses of it stay"),
    },
    "/v1/conversations/{id}/items": {
      get: within("Items", "What was said in a conversation, the last item first", pages),
      post: { ...within("Add", "Add items to a conversation"), ...given(itemsBody) },
    },
    "/v1/conversations/{id}/items/{item}": {
      get: within("Item", "One item of a conversation", item),
      delete: within("ItemDelete", "Take an item out of a conversation", item),
    },
    "/v1/audio/voices": { get: { ...voices, ...shown } },
    "/v1/audio/models": { get: { ...speakers, ...shown } },
    "/v1/models": { get: { ...list, ...shown } },
    "/v1/models/{model}": { get: { ...one, ...shown } },
    "/v1/responses/{id}": { get: { ...response, ...shownOrSent }, delete: { ...forget, ...shown } },
    "/v1/responses/{id}/input_items": { get: { ...items, ...shown } },
    "/v1/responses/{id}/cancel": { post: { ...cancel, ...shown } },
  };
}

// What stands behind one wildcard route or is no operation of Elysia's, in the document of the whole box.
import { limitsSchema } from "../../control/accounts/account-words.ts";
import { Type } from "../../core/schema.ts";
import { fileSchema, tokenSchema } from "../rest/storage.ts";
import { appTokenSchema } from "../rest/tokens.ts";
import { type OpenApiSchema, toOpenApi, toOpenApiInput } from "./openapi-schema.ts";
import { jsonContent } from "./shared-schemas.ts";

const text = { type: "string" } as const;
const url = { type: "string", format: "uri" } as const;
const anyObject = jsonContent({ type: "object" });
const events = { "text/event-stream": { schema: { type: "object", properties: { event: text, data: text } } } };
const bytes = { content: { "*/*": { schema: { type: "string", format: "binary" } } } };

const inPath = (name: string, description: string) => ({ name, in: "path", required: true, description, schema: text });
const inHeader = (name: string, description: string, isRequired = false) => ({
  ...{ name, in: "header", required: isRequired, description, schema: text },
});
const MODEL = inPath("id", "Id or alias of a model, with its slashes");
const LIFECYCLE = inHeader("x-fal-object-lifecycle", "JSON: how long the file is kept, and who may read it");

const answer = (description: string, content: OpenApiSchema = {}) => ({
  responses: { 200: { description, ...content } },
});
const object = (properties: OpenApiSchema) => jsonContent({ type: "object", properties });
const required = (content: OpenApiSchema) => ({ requestBody: { required: true, ...content } });
const open = { security: [] };

const models = {
  "/models/{id}": {
    get: {
      summary: "One model: what it takes, gives and costs",
      parameters: [MODEL],
      ...open,
      ...answer("The model", anyObject),
    },
  },
  "/models/{id}/openapi.json": {
    get: {
      summary: "One model's own document, as fal's",
      parameters: [MODEL],
      ...open,
      ...answer("OpenAPI", anyObject),
    },
  },
  "/models/{id}/llms.txt": {
    get: {
      summary: "One model in words, with calls to copy",
      ...{ parameters: [MODEL], ...open, ...answer("Markdown", { content: { "text/markdown": { schema: text } } }) },
    },
  },
};

const administration = {
  "/admin/v1/limits/{kind}/{id}": {
    put: {
      summary: "Set the limits of a key, a team or a model; what is left out ends",
      parameters: [
        { ...inPath("kind", "Whose they are"), schema: { ...text, enum: ["key", "team", "model"] } },
        inPath("id", "Id of the key or model, name of the team"),
      ],
      ...required(jsonContent(toOpenApiInput(limitsSchema))),
      ...answer("The limits, and what is used of them", anyObject),
    },
  },
  "/admin/v1/models/{id}/download": {
    get: {
      summary: "How far a model's download is, as events",
      parameters: [MODEL],
      ...answer("Events", { content: events }),
    },
  },
  "/admin/v1/models/{id}/update": {
    post: {
      summary: "Try a model's new revision and take it over, with events",
      parameters: [MODEL],
      ...answer("Events", { content: events }),
    },
  },
  "/admin/v1/models/update": {
    post: { summary: "The same for all models that follow a branch", ...answer("Events", { content: events }) },
  },
};

const upload = {
  post: {
    summary: "A place to upload a file to, as fal's JavaScript client asks for one",
    parameters: [LIFECYCLE],
    ...required(jsonContent(toOpenApiInput(fileSchema))),
    ...answer("Where to PUT the bytes, and where they can be read then", object({ upload_url: url, file_url: url })),
  },
};

const files = {
  "/rest/storage/upload/initiate": upload,
  "/rest/storage/upload/initiate-multipart": {
    post: {
      ...upload.post,
      summary: "The same for a file in parts: PUT {upload_url}/1, 2, ... and POST {upload_url}/complete",
    },
  },
  "/rest/storage/auth/token": {
    post: {
      summary: "A token to upload with, as fal's Python client asks for one",
      requestBody: jsonContent(toOpenApiInput(tokenSchema)),
      ...answer("The token", object({ token: text, token_type: text, base_url: url, expires_at: text })),
    },
  },
  "/files/{token}/{name}": {
    get: {
      summary: "A file of a job's output; whoever knows the address may read it, unless the file's rules say otherwise",
      parameters: [inPath("token", "As it stands in the output"), inPath("name", "Likewise")],
      ...open,
      ...answer("Its bytes", bytes),
    },
  },
  "/cdn/files/upload": {
    post: {
      summary: "Upload a file at once",
      parameters: [inHeader("x-fal-file-name", "Its name"), LIFECYCLE],
      ...required(bytes),
      ...answer("Where it can be read", object({ access_url: url })),
    },
  },
};

const token = (summary: string, given: OpenApiSchema) => ({
  post: {
    summary,
    ...required(jsonContent(toOpenApiInput(appTokenSchema))),
    ...answer("The token", jsonContent(given)),
  },
});

const tokens = {
  "/rest/tokens/": token("A short-lived token for streams and realtime sockets of browsers", text),
  "/rest/tokens/realtime": token("The same, as newer clients ask for one", {
    type: "object",
    properties: { token: text },
  }),
};

/** Their failures are those of what they lead to. */
const passed = (summary: string, more: OpenApiSchema) => ({
  summary,
  ...required(anyObject),
  ...more,
  responses: { 200: { description: "The answer" }, default: { description: "The failure" } },
});
const TARGET = {
  parameters: [inHeader("x-fal-target-url", "The address at fal that is meant, e.g. https://queue.fal.run/...", true)],
};

const faces = {
  "/fal/proxy": {
    post: passed("fal's proxy protocol: every call of fal's by its address, with its own method", TARGET),
  },
  "/mcp": { post: passed("Model Context Protocol, streamable HTTP: the models as tools", {}) },
};

const keySet = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown())) });
const operations = {
  "/.well-known/jwks.json": {
    get: {
      summary: "The key that webhooks are signed with",
      ...open,
      ...answer("A key set", jsonContent(toOpenApi(keySet))),
    },
  },
};

const groups = {
  Models: models,
  Administration: administration,
  Files: { ...files, ...tokens },
  Faces: faces,
  Operations: operations,
};

export const OTHER_TAGS = [
  { name: "Files", description: "Uploads, and tokens for clients in browsers" },
  { name: "Faces", description: "Other ways to all of it: fal's proxy, MCP" },
];

export function otherPaths(): Record<string, OpenApiSchema> {
  const tagged = Object.entries(groups).flatMap(([tag, paths]) =>
    Object.entries(paths).map(([path, item]) => [path, withTag(item, tag)] as const),
  );
  return Object.fromEntries(tagged);
}

const withTag = (item: OpenApiSchema, tag: string): OpenApiSchema =>
  Object.fromEntries(
    Object.entries(item).map(([method, operation]) => [method, { tags: [tag], ...(operation as OpenApiSchema) }]),
  );

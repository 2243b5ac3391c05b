// OpenAI's files and batches in the document of the whole box, beside how they are made.
import { batchesQuery } from "../openai/batches/batches.ts";
import { filesQuery } from "../openai/files/files.ts";
import type { OpenApiSchema } from "./openapi-schema.ts";
import { jsonContent } from "./shared-schemas.ts";

const common = { tags: ["OpenAI"] };
const answered = { responses: { 200: { description: "What was asked for", ...jsonContent({ type: "object" }) } } };
const content = { "application/jsonl": { schema: { type: "string" } } };
const byId = { name: "id", in: "path", required: true, schema: { type: "string" } };

const queryOf = ({ properties }: typeof filesQuery | typeof batchesQuery) =>
  Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema: { ...schema } }));

const operation = (operationId: string, summary: string, parameters: OpenApiSchema[] = [byId]) => ({
  ...{ ...common, operationId, summary, parameters },
  ...answered,
});

/** Of paths that `made` may have POST of already. */
export const batchPaths = (made: Record<string, OpenApiSchema>): Record<string, OpenApiSchema> => ({
  "/v1/files": {
    ...made["/v1/files"],
    get: operation("OpenAiFiles", "Files of this key's batches", queryOf(filesQuery)),
  },
  "/v1/files/{id}": {
    get: operation("OpenAiFileOf", "A file, by its id"),
    delete: operation("OpenAiFileDelete", "Delete a file"),
  },
  "/v1/files/{id}/content": {
    get: {
      ...operation("OpenAiFileContent", "What a file holds"),
      responses: { 200: { description: "The file", content } },
    },
  },
  "/v1/batches": {
    ...made["/v1/batches"],
    get: operation("OpenAiBatches", "Batches of this key, the latest first", queryOf(batchesQuery)),
  },
  "/v1/batches/{id}": {
    get: operation("OpenAiBatchOf", "A batch, by its id: how far it is, and its files at the end"),
  },
  "/v1/batches/{id}/cancel": { post: operation("OpenAiBatchCancel", "End a batch early; what was done is kept") },
});

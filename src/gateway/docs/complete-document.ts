// The last touch to the document of the box: every operation says how it succeeds, and how it fails.
import type { OpenApiSchema } from "./openapi-schema.ts";
import { jsonContent, ref } from "./shared-schemas.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];

const failure = (schema: string) => ({
  description: "A failure, in the words of its body: 4xx is the caller's, 5xx the box's",
  ...jsonContent(ref(schema)),
});

function failureSchemaOf(path: string): string {
  if (path.startsWith("/platform/")) return "PlatformError";
  return path.startsWith("/v1/") ? "OpenAiError" : "AnyFailure";
}

/** A copy. Routes that are described in a few words have answers without a description, which OpenAPI does not allow. */
export function completeDocument<Document extends { paths: OpenApiSchema }>(document: Document): Document {
  const paths = Object.entries(document.paths).map(([path, item]) => [path, completeItem(path, item as OpenApiSchema)]);
  return { ...document, paths: Object.fromEntries(paths) };
}

function completeItem(path: string, item: OpenApiSchema): OpenApiSchema {
  const other = failure(failureSchemaOf(path));
  const completed = Object.entries(item).map(([method, operation]) => {
    if (!METHODS.includes(method)) return [method, operation];
    const { responses = {}, ...rest } = operation as { responses?: Record<string, OpenApiSchema> };
    const described = Object.entries(responses).map(([status, response]) => [
      status,
      { ...response, description: response.description ?? "Done" },
    ]);
    const known = described.length > 0 ? Object.fromEntries(described) : { 200: { description: "Done" } };
    return [method, { ...rest, responses: { default: other, ...known } }];
  });
  return Object.fromEntries(completed);
}

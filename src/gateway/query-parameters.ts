// A query string in the documents, from the schema that also reads it.
import type { TObject, TSchema } from "../core/schema.ts";
import { toOpenApi } from "./docs/openapi-schema.ts";

/** Each as its schema says, with every bound. */
export const parametersOf = ({ properties, required = [] }: TObject) =>
  Object.entries(properties).map(([name, schema]: [string, TSchema]) => ({
    name,
    in: "query",
    required: required.includes(name) && schema.default === undefined,
    ...(schema.description !== undefined && { description: schema.description }),
    schema: toOpenApi(schema),
  }));

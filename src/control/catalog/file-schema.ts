// config/model.schema.json: the JSON Schema of a model file, for editors; made from the schema that reads them.
import type { TSchema } from "../../core/schema.ts";
import { modelSchema } from "../../engine/model.ts";

export function modelFileSchema(): string {
  const document = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Model file of Forecourt",
    ...asWritten(modelSchema),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The schema of what is written, where a field with a default may be left out, instead of what is read. */
function asWritten(schema: TSchema): TSchema {
  const inner = Object.entries<unknown>(schema).map(([name, value]) => [name, asWrittenPart(name, value)]);
  const written = Object.fromEntries(inner);
  const properties: Record<string, TSchema> = schema.properties ?? {};
  const required = (schema.required ?? []).filter((name: string) => properties[name]?.default === undefined);
  const { required: _, ...rest } = written;
  return required.length > 0 ? { ...rest, required } : rest;
}

function asWrittenPart(name: string, value: unknown): unknown {
  if (name === "properties" || name === "patternProperties") return eachSchema(value, asWritten);
  if (name === "items" && isSchema(value)) return asWritten(value);
  if (name === "anyOf" && Array.isArray(value)) return value.filter(isSchema).map(asWritten);
  return value;
}

const eachSchema = (value: unknown, change: (schema: TSchema) => TSchema) =>
  Object.fromEntries(Object.entries(value ?? {}).map(([name, each]) => [name, isSchema(each) ? change(each) : each]));

const isSchema = (value: unknown): value is TSchema => typeof value === "object" && value !== null;

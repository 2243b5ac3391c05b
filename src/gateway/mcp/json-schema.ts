// A TypeBox schema as plain JSON Schema, without the words that only this house knows.
import type { TObject, TSchema } from "../../core/schema.ts";

export type JsonSchema = { [word: string]: unknown };

/** `media` and `ui` are for the box and for fal's pages. */
const OWN_WORDS = new Set(["media", "ui", "x-fal"]);

/** What `parse` takes: a field with a default need not be there. */
export function jsonSchema(schema: TObject): JsonSchema {
  const { required = [], properties } = schema;
  const needed = required.filter((name) => properties[name]?.default === undefined);
  const { required: _, ...rest } = plain(schema);
  return { ...rest, ...(needed.length > 0 && { required: needed }) };
}

function plain(schema: TSchema): JsonSchema {
  const words = Object.entries(schema).filter(([word]) => !OWN_WORDS.has(word));
  return Object.fromEntries(words.map(([word, value]) => [word, word === "properties" ? each(value) : copy(value)]));
}

const each = (properties: Record<string, TSchema>) =>
  Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, plain(field)]));

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return typeof value === "object" && value !== null ? plain(value as TSchema) : value; // schemas and values are alike here
}

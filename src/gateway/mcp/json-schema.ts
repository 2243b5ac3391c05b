// A TypeBox schema as plain JSON Schema, without the words that only this house knows.
import type { TObject, TSchema } from "../../core/schema.ts";

export type JsonSchema = { [word: string]: unknown };

/** `media` and `ui` are for the box and for fal's pages. */
const OWN_WORDS = new Set(["media", "ui", "x-fal"]);

/** What `parse` takes: fields with a default need not be there, however deep. */
export const jsonSchema = (schema: TObject): JsonSchema => plain(schema);

function plain(schema: TSchema): JsonSchema {
  const words = Object.entries(schema).flatMap(([word, value]): [string, unknown][] => {
    if (OWN_WORDS.has(word)) return [];
    if (word === "properties") return [[word, each(value)]];
    return word === "required" && schema.properties ? neededOf(value, schema) : [[word, copy(value)]];
  });
  return Object.fromEntries(words);
}

function neededOf(required: string[], { properties }: TSchema): [string, unknown][] {
  const needed = required.filter((name) => properties[name]?.default === undefined);
  return needed.length > 0 ? [["required", needed]] : [];
}

const each = (properties: Record<string, TSchema>) =>
  Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, plain(field)]));

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return typeof value === "object" && value !== null ? plain(value as TSchema) : value; // schemas and values are alike here
}

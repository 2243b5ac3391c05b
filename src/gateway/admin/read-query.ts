// The query string of an administrator: every field by its name, each as its schema says.
import { parseExactly, type Static, type TObject } from "../../core/schema.ts";
import { inputFromQuery } from "../fal/query-input.ts";

/** Throws `invalid_input`. An address has no null: what reads so is a text, unlike in models' inputs, where fal's clients write it. */
export function readQuery<Schema extends TObject>(schema: Schema, query: URLSearchParams): Static<Schema> {
  const given = Object.entries(inputFromQuery(schema, query));
  return parseExactly(schema, Object.fromEntries(given.map(([name, value]) => [name, value ?? "null"])), ["query"]);
}

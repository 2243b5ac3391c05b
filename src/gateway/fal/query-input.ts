// A model's input from a query string (the clients' `method: "get"`): texts become what the schema says they are.
import type { TObject } from "../../core/schema.ts";

/** A text that does not fit its field stays a text, so that validation can say what is wrong with it. */
export function inputFromQuery(schema: TObject, query: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries([...query].map(([name, text]) => [name, fieldValue(schema.properties[name]?.type, text)]));
}

function fieldValue(type: unknown, text: string): unknown {
  if (type === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON, so it was meant as text
  }
}

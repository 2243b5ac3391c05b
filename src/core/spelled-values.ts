// Numbers and truth values that clients send as text, from forms and templates: fal's servers check with pydantic, which
// reads them where the field takes nothing else.
import type { TSchema } from "./schema.ts";

const INTEGER = /^\s*[+-]?\d+\s*$/;
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const TRUTH: Readonly<Record<string, boolean>> = { true: true, false: false };

/** A copy in which `"7"` is 7 wherever the schema takes numbers and no text, at any depth; what is none is left to the check. */
export function withSpelledValues(schema: TSchema | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  if (typeof value === "string") return spelled(value, branchesOf(schema));
  if (typeof value !== "object" || value === null) return value;
  const branch = branchesOf(schema).find(({ type }) => type === (Array.isArray(value) ? "array" : "object"));
  if (!branch) return value;
  if (Array.isArray(value)) return value.map((each) => withSpelledValues(branch.items, each));
  const properties: Record<string, TSchema> = branch.properties ?? {};
  const fields = Object.entries(value).map(([name, field]) => [name, withSpelledValues(properties[name], field)]);
  return Object.fromEntries(fields);
}

const branchesOf = (schema: TSchema): readonly TSchema[] => schema.anyOf ?? [schema];

function spelled(text: string, branches: readonly TSchema[]): unknown {
  const types = new Set(branches.map(({ type }) => type));
  if (types.has("string") || types.has(undefined)) return text;
  const isNumber = types.has("number") ? NUMBER.test(text) : types.has("integer") && INTEGER.test(text);
  // An integer that a number does not hold would become another one.
  if (isNumber && (!INTEGER.test(text) || Number.isSafeInteger(Number(text)))) return Number(text);
  return types.has("boolean") ? (TRUTH[text.trim().toLowerCase()] ?? text) : text;
}

// What kinds of values a JSON schema speaks of, and whether a value is of them.
import { isMultiple } from "./divisor.ts";
import { numberIn, type Schema } from "./whole-schema.ts";

export const TYPES = ["object", "array", "string", "integer", "number", "boolean", "null"];

const NUMERIC = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/** `any`: of a schema that names none and asks for nothing that one has. */
export function typesOf({ type, ...schema }: Schema, any = TYPES.filter((each) => each !== "integer")): string[] {
  if (type !== undefined) return [type].flat() as string[];
  if ("properties" in schema || "required" in schema || "additionalProperties" in schema) return ["object"];
  if ("items" in schema || "prefixItems" in schema || "uniqueItems" in schema) return ["array"];
  if ("pattern" in schema || "minLength" in schema || "maxLength" in schema) return ["string"];
  if (NUMERIC.some((keyword) => keyword in schema)) return ["number"];
  return any;
}

/** Those that it lists; undefined where it lists none. */
export function valuesIn({ enum: listed, const: single }: Schema): unknown[] | undefined {
  if (Array.isArray(listed)) return listed;
  return single === undefined ? undefined : [single];
}

/** What a list or an object holds is not looked at. */
export function takesKind(schema: Schema, value: unknown): boolean {
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const types = typesOf(schema, TYPES);
  if (type === "number") {
    const isOfType = types.includes("number") || (types.includes("integer") && Number.isInteger(value));
    return isOfType && isWithin(Number(value), schema);
  }
  return types.includes(type) || (value === null && schema.nullable === true);
}

const isWithin = (value: number, { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema) =>
  value >= (numberIn(minimum) ?? -Infinity) &&
  value <= (numberIn(maximum) ?? Infinity) &&
  value > (numberIn(exclusiveMinimum) ?? -Infinity) &&
  value < (numberIn(exclusiveMaximum) ?? Infinity) &&
  (multipleOf === undefined || isMultiple(value, Number(multipleOf)));

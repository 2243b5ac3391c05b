// A JSON Schema with all that holds at once in one: what it refers to, and the parts of allOf.
import { wrong } from "../conversation.ts";
import { divisor, isMultiple } from "./divisor.ts";

export type Schema = Record<string, unknown>;

export type Within = {
  root: Schema;
  /** Field of the request that the schema came in. */
  field: readonly string[];
};

const REFUSED = [
  ...["not", "if", "patternProperties", "dependentRequired", "dependentSchemas", "dependencies", "contains"],
  ...["propertyNames", "additionalItems", "$dynamicRef", "$recursiveRef"],
];

/** What else stands in a schema says what a value means, not what it is. */
const SHAPING = new Set([
  ...["type", "enum", "const", "anyOf", "oneOf", "allOf", "nullable", "properties", "required", "additionalProperties"],
  ...["items", "prefixItems", "minItems", "maxItems", "pattern", "minLength", "maxLength"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems"],
]);
export const isShaping = (schema: Schema) => Object.keys(schema).some((keyword) => SHAPING.has(keyword));

const isAboveZero = (value: unknown) => typeof value === "number" && value > 0;
const isNumber = (value: unknown) => typeof value === "number";
const isStrings = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === "string");
const isList = (value: unknown) => Array.isArray(value) && value.length > 0;
/** Keywords whose value may be wrong: read over, they would be missed. */
const FORMS: Record<string, (value: unknown) => boolean> = {
  ...{ minimum: isNumber, maximum: isNumber, exclusiveMinimum: isNumber, exclusiveMaximum: isNumber },
  ...{ multipleOf: isAboveZero, uniqueItems: (value) => typeof value === "boolean" },
  ...{ minItems: isNumber, maxItems: isNumber, minLength: isNumber, maxLength: isNumber },
  ...{ enum: isList, anyOf: isList, oneOf: isList, allOf: isList, prefixItems: Array.isArray, required: isStrings },
  ...{ $ref: (value) => typeof value === "string", pattern: (value) => typeof value === "string" },
  ...{ properties: (value) => isSchema(value), type: (value) => typeof value === "string" || isStrings(value) },
};

/** Throws `invalid_input` for what is no schema, and for what no grammar keeps to. */
export function checked(schema: unknown, within: Within): Schema {
  if (!isSchema(schema)) throw refused(within, "it holds something that is no schema");
  for (const keyword of REFUSED) if (keyword in schema) throw refused(within, `"${keyword}" cannot be enforced here`);
  for (const [keyword, hasForm] of Object.entries(FORMS))
    if (keyword in schema && !hasForm(schema[keyword]))
      throw refused(within, `"${keyword}" cannot be ${JSON.stringify(schema[keyword])?.slice(0, 100)}`);
  return schema;
}

/** Without $ref and allOf at its top; false: nothing fits. Throws `invalid_input`, also for a reference to nothing but itself. */
export function flattened(given: unknown, within: Within, through: readonly string[] = []): Schema | false {
  if (given === false) return false;
  const { $ref: reference, allOf = [], ...own } = given === true ? {} : checked(given, within);
  const parts: (Schema | false)[] = [own];
  if (typeof reference === "string") {
    if (through.includes(reference)) throw refused(within, `"$ref" leads back to itself: ${reference}`);
    parts.push(flattened(target(reference, within), within, [...through, reference]));
  }
  for (const part of allOf as unknown[]) parts.push(flattened(part, within, through));
  return parts.reduce((a, b) => a && b && both(a, b, within));
}

const MOST_PRODUCTS = 256;

type Joined = (a: never, b: never, within: Within) => unknown;

const larger = (a: number, b: number) => Math.max(a, b);
const smaller = (a: number, b: number) => Math.min(a, b);
const anded = (a: unknown, b: unknown) => (same(a, b) ? a : a === false || b === false ? false : { allOf: [a, b] });
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
function products(a: unknown[], b: unknown[], within: Within): unknown[] {
  if (a.length * b.length > MOST_PRODUCTS)
    throw refused(within, `choices that hold at once have more than ${MOST_PRODUCTS} combinations`);
  return a.flatMap((one) => b.map((other) => anded(one, other)));
}

/** How two values of a keyword become one; undefined: they cannot. */
const JOINS: Record<string, Joined> = {
  ...{ minimum: larger, exclusiveMinimum: larger, minItems: larger, minLength: larger },
  ...{ maximum: smaller, exclusiveMaximum: smaller, maxItems: smaller, maxLength: smaller },
  ...{ items: anded, anyOf: products, oneOf: products, additionalProperties: anded },
  required: (a: string[], b: string[]) => [...new Set([...a, ...b])],
  nullable: (a: unknown, b: unknown) => a === true && b === true,
  uniqueItems: (a: unknown, b: unknown) => a === true || b === true,
  multipleOf: (a: number, b: number) => (isMultiple(a, b) ? a : isMultiple(b, a) ? b : leastCommon(a, b)),
  type: (a: string | string[], b: string | string[]) => typesOfBoth([a].flat(), [b].flat()),
  enum: (a: unknown[], b: unknown[]) => a.filter((one) => b.some((other) => same(one, other))),
  pattern: (a: unknown, b: unknown) => (a === b ? a : undefined),
  prefixItems: (a: unknown[], b: unknown[]) =>
    a.length === b.length ? a.map((one, at) => anded(one, b[at])) : undefined,
};

const leastCommon = (a: number, b: number) =>
  Number.isInteger(a) && Number.isInteger(b) ? (a / divisor(a, b)) * b : undefined;

function typesOfBoth(a: readonly string[], b: readonly string[]): string[] {
  const within = (types: readonly string[], type: string) =>
    types.includes(type) || (type === "integer" && types.includes("number"));
  return [...new Set([...a.filter((type) => within(b, type)), ...b.filter((type) => within(a, type))])];
}

/** False: nothing fits both. */
function both(one: Schema, other: Schema, within: Within): Schema | false {
  const [a, b] = [asLists(one), asLists(other)];
  const joined: Schema = { ...a, ...b };
  for (const keyword of Object.keys(a).filter((each) => each in b && each in JOINS)) {
    const value = JOINS[keyword]?.(a[keyword] as never, b[keyword] as never, within);
    if (value === undefined) throw refused(within, `two different values of "${keyword}" hold at once`);
    joined[keyword] = value;
  }
  if ("properties" in joined) joined.properties = propertiesOfBoth(a, b);
  const isNone = (value: unknown) => Array.isArray(value) && value.length === 0;
  return isNone(joined.type) || isNone(joined.enum) ? false : joined;
}

/** One value is a list of one, and a type that may be null is two. */
function asLists({ const: single, nullable, ...schema }: Schema): Schema {
  const listed = single === undefined ? schema : { ...schema, enum: [single] };
  if (nullable !== true || listed.type === undefined) return { ...listed, ...(nullable !== undefined && { nullable }) };
  return { ...listed, type: [...new Set([listed.type, "null"].flat())] };
}

/** A member that only one of them names is one of the other's additional ones, where that says what these are. */
function propertiesOfBoth(a: Schema, b: Schema): Schema {
  const [of, others] = [schemaIn(a.properties), schemaIn(b.properties)];
  const names = new Set([...Object.keys(of), ...Object.keys(others)]);
  const among = (properties: Schema, name: string, more: unknown) =>
    Object.hasOwn(properties, name) ? properties[name] : (more ?? true);
  return Object.fromEntries(
    [...names].map((name) => {
      const [one, other] = [among(of, name, a.additionalProperties), among(others, name, b.additionalProperties)];
      return [name, one === true ? other : other === true ? one : anded(one, other)];
    }),
  );
}

/** What a reference leads to. */
export function target(reference: string, { root, ...within }: Within): unknown {
  const lost = refused({ root, ...within }, `"$ref" leads nowhere: ${reference}`);
  if (!reference.startsWith("#")) throw refused({ root, ...within }, `"$ref" leads out of it: ${reference}`);
  let at: unknown = root;
  for (const part of reference
    .slice(1)
    .split("/")
    .filter((each) => each !== "")) {
    const name = unescaped(part);
    if (name === undefined || typeof at !== "object" || at === null || !Object.hasOwn(at, name)) throw lost;
    at = Reflect.get(at, name);
  }
  return at;
}

function unescaped(part: string): string | undefined {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    // A percent sign with no number behind it.
    return undefined;
  }
}

export const schemaIn = (value: unknown): Schema => (isSchema(value) ? value : {});
const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const numberIn = (value: unknown) => (typeof value === "number" ? value : undefined);
export const listIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

export const refused = ({ field }: Within, why: string) =>
  wrong([...field], `The JSON schema cannot be kept to: ${why}`, "value_error");

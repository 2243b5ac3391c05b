// A TypeBox schema as OpenAPI 3.0 writes it: no const, no null, no patternProperties, exclusive bounds as flags, one example.
import type { TObject, TSchema } from "../../core/schema.ts";

export type OpenApiSchema = { [word: string]: unknown };

/** Words that OpenAPI 3.0 or fal's tools write differently, or not at all. */
const translations: Record<string, (schema: TSchema) => OpenApiSchema> = {
  const: (schema) => ({ enum: [schema.const] }),
  exclusiveMinimum: (schema) => ({ minimum: schema.exclusiveMinimum, exclusiveMinimum: true }),
  exclusiveMaximum: (schema) => ({ maximum: schema.exclusiveMaximum, exclusiveMaximum: true }),
  examples: ({ examples }) => (Array.isArray(examples) && examples.length > 0 ? { example: examples[0] } : {}),
  patternProperties: (schema) => {
    const values: TSchema[] = Object.values(schema.patternProperties);
    return { additionalProperties: values[0] ? toOpenApi(values[0]) : true };
  },
  properties: (schema) => ({
    properties: toOpenApiEach(schema.properties),
    "x-fal-order-properties": Object.keys(schema.properties),
  }),
  items: (schema) => ({ items: toOpenApi(schema.items) }),
  anyOf: (schema) => ({ anyOf: schema.anyOf.map(toOpenApi) }),
  allOf: (schema) => ({ allOf: schema.allOf.map(toOpenApi) }),
  // There is no such type in OpenAPI 3.0.
  type: ({ type }) => (type === "null" ? { enum: [null], nullable: true } : { type }),
  // Told to this program's own readers.
  media: () => ({}),
  onlyUrls: () => ({}),
  amounts: () => ({}),
};

/** A plain copy, with fal's `x-fal-order-properties` on every object. */
export function toOpenApi(schema: TSchema): OpenApiSchema {
  const words = Object.keys(schema).map((word) => translations[word]?.(schema) ?? { [word]: schema[word] });
  return Object.assign({}, ...words);
}

/** What `parse` takes: null in a field that may be absent means absent, and a field with a default may be; at any depth. */
export const toOpenApiInput = (written: TObject): OpenApiSchema => withNulls(relaxed(written));

function withNulls(schema: TSchema): OpenApiSchema {
  const described = toOpenApi(schema);
  if (schema.anyOf) return { ...described, anyOf: schema.anyOf.map(withNulls) };
  if (schema.type === "array" && schema.items) return { ...described, items: withNulls(schema.items) };
  if (schema.type !== "object" || !schema.properties) return described;
  const { required = [], properties } = schema as TObject; // it has properties
  const fields = Object.entries(properties).map(([name, field]) => {
    const mustBe = required.includes(name) && field.default === undefined;
    return [name, mustBe ? withNulls(field) : withNull(withNulls(field))];
  });
  return { ...described, properties: Object.fromEntries(fields) };
}

/** Fields with a default need not be there, however deep. */
function relaxed(schema: TSchema): TSchema {
  if (schema.type === "array" && schema.items) return { ...schema, items: relaxed(schema.items) };
  if (schema.type !== "object" || !schema.properties) return schema;
  const { required = [], ...rest } = schema as TObject; // it has properties
  const needed = required.filter((name) => rest.properties[name]?.default === undefined);
  const properties = Object.entries(rest.properties).map(([name, field]) => [name, relaxed(field)]);
  return { ...rest, properties: Object.fromEntries(properties), ...(needed.length > 0 && { required: needed }) };
}

const withNull = (schema: OpenApiSchema): OpenApiSchema => ({
  ...schema,
  ...(Array.isArray(schema.enum) && { enum: [...new Set([...schema.enum, null])] }),
  nullable: true,
});

const toOpenApiEach = (properties: Record<string, TSchema>) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, toOpenApi(schema)]));

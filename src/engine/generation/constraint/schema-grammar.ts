// The grammar of the JSON texts that a JSON Schema (2020-12, and what OpenAI's clients send of it) describes.
import { wrong } from "../conversation.ts";
import { choice, later, literal, type Node, nothing, oneOf, repeat, sequence } from "./grammar.ts";
import { integersIn, type Limits } from "./integer-range.ts";
import * as json from "./json-grammar.ts";
import { patternGrammar } from "./pattern-grammar.ts";

export type Schema = Record<string, unknown>;

type Around = {
  root: Schema;
  /** Of references: the same node each time, so that a schema may contain itself. */
  known: Map<string, Node>;
  /** Field of the request that the schema came in. */
  field: readonly string[];
  /** Keywords that are not enforced. */
  loose: Set<string>;
};

export type SchemaGrammar = {
  grammar: Node;
  /** Keywords of the schema that the grammar does not enforce: for the caller to know. */
  loose: string[];
};

/** `field`: for errors. Throws `invalid_input` for what cannot be enforced and would be missed. */
export function schemaGrammar(root: Schema, field: readonly string[]): SchemaGrammar {
  const around: Around = { root, known: new Map(), field, loose: new Set() };
  const grammar = nodeOf(root, around);
  return { grammar, loose: [...around.loose] };
}

/** Say what a value means, not what it is; `format` is an annotation by the standard. */
const REFUSED = [
  "not",
  "if",
  "patternProperties",
  "dependentRequired",
  "dependentSchemas",
  "contains",
  "propertyNames",
];
const LOOSE = ["uniqueItems", "minProperties", "maxProperties", "multipleOf", "format"];

function nodeOf(schema: unknown, around: Around): Node {
  if (schema === true) return json.value;
  if (!isSchema(schema)) throw refused(around, "it holds something that is no schema");
  for (const keyword of REFUSED) if (keyword in schema) throw refused(around, `"${keyword}" cannot be enforced here`);
  for (const keyword of LOOSE) if (keyword in schema) around.loose.add(keyword);
  if (typeof schema.$ref === "string") return referred(schema.$ref, around);
  if ("const" in schema) return literal(JSON.stringify(schema.const));
  if (Array.isArray(schema.enum) && schema.enum.length === 0) throw refused(around, "an enum allows nothing");
  if (Array.isArray(schema.enum)) return choice(...schema.enum.map((each) => literal(JSON.stringify(each))));
  const options = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(options)) return choice(...options.map((each) => optionOf(each, schema, around)));
  if (Array.isArray(schema.allOf)) {
    const { allOf, ...rest } = schema;
    return nodeOf(merged([rest, ...allOf], around), around);
  }
  const types = typesOf(schema);
  const nodes = types.map((type) => typed(type, schema, around));
  return choice(...nodes, ...(schema.nullable === true && !types.includes("null") ? [json.empty] : []));
}

/** What stands beside a choice holds for each of its options; those may contain the schema itself. */
function optionOf(option: unknown, { anyOf: _, oneOf: __, ...own }: Schema, around: Around): Node {
  if (!Object.keys(own).some((keyword) => SHAPING.has(keyword))) return nodeOf(option, around);
  return later(() => nodeOf(merged([own, option], around), around));
}

const SHAPING = new Set(["type", "properties", "required", "additionalProperties", "items", "prefixItems", "allOf"]);

const TYPES = ["object", "array", "string", "integer", "number", "boolean", "null"];

function typesOf({ type, ...schema }: Schema): string[] {
  if (type !== undefined) return [type].flat() as string[];
  if ("properties" in schema || "required" in schema || "additionalProperties" in schema) return ["object"];
  if ("items" in schema || "prefixItems" in schema) return ["array"];
  if ("pattern" in schema || "minLength" in schema || "maxLength" in schema) return ["string"];
  if ("minimum" in schema || "maximum" in schema) return ["number"];
  return TYPES.filter((each) => each !== "integer");
}

function typed(type: string, schema: Schema, around: Around): Node {
  switch (type) {
    case "object":
      return objectOf(schema, around);
    case "array":
      return arrayOf(schema, around);
    case "string":
      return stringOf(schema, around);
    case "integer":
      return integersOf(limitsOf(schema), around);
    case "number":
      return numberOf(schema, around);
    case "boolean":
      return json.truth;
    case "null":
      return json.empty;
    default:
      throw refused(around, `there is no type "${type}"`);
  }
}

/** Members come in the order of the schema; without additionalProperties there are no others. */
function objectOf(schema: Schema, around: Around): Node {
  const properties = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  const required = new Set(listIn(schema.required));
  const more = schema.additionalProperties ?? !("properties" in schema || required.size > 0);
  const others = more === false ? undefined : nodeOf(more, around);
  const unnamed = [...required].filter((name) => !properties.some(([known]) => known === name));
  const members = [
    ...properties.map(([name, each]) => ({ name, isRequired: required.has(name), of: nodeOf(each, around) })),
    ...unnamed.map((name) => ({ name, isRequired: true, of: others ?? json.value })),
  ];
  const named = members.map(({ name, of, ...rest }) => ({
    ...rest,
    node: json.member(literal(JSON.stringify(name)), of),
  }));
  return sequence(oneOf("{"), membersFrom(named, others && json.member(json.text, others)), oneOf("}"));
}

type Member = { node: Node; isRequired: boolean };

/** What may follow the members before `at`, of which there is one already or not. */
function membersFrom(members: readonly Member[], other: Node | undefined): Node {
  const comma = oneOf(",");
  const rest = (hasOne: boolean): Node => {
    if (!other) return hasOne ? nothing : json.blank;
    const further = repeat(sequence(comma, other), 0);
    return hasOne ? further : choice(json.blank, sequence(other, further));
  };
  let [first, next] = [rest(false), rest(true)];
  for (const { node, isRequired } of members.toReversed()) {
    const [without, withOne] = [first, next];
    const taken = sequence(node, withOne);
    first = isRequired ? taken : choice(taken, without);
    next = isRequired ? sequence(comma, taken) : choice(sequence(comma, taken), withOne);
  }
  return first;
}

function arrayOf(schema: Schema, around: Around): Node {
  const least = numberIn(schema.minItems) ?? 0;
  const most = numberIn(schema.maxItems) ?? Number.POSITIVE_INFINITY;
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  if (prefix.length === 0) return json.listOf(nodeOf(schema.items ?? true, around), least, most);
  const spaced = prefix.map((each) => sequence(json.blank, nodeOf(each, around), json.blank));
  const items = spaced.map((each, at) => (at === 0 ? each : sequence(oneOf(","), each)));
  const others = schema.items === undefined || schema.items === false ? undefined : nodeOf(schema.items, around);
  const more = others
    ? repeat(
        sequence(oneOf(","), json.blank, others, json.blank),
        Math.max(0, least - prefix.length),
        most - prefix.length,
      )
    : nothing;
  return sequence(oneOf("["), ...items, more, oneOf("]"));
}

function stringOf(schema: Schema, around: Around): Node {
  const { pattern } = schema;
  if (typeof pattern === "string") {
    if ("minLength" in schema || "maxLength" in schema) around.loose.add("minLength and maxLength beside pattern");
    const grammar = patternGrammar(pattern);
    if (!grammar) throw refused(around, `the pattern ${pattern} uses what cannot be enforced here`);
    return json.quoted(grammar);
  }
  return json.quoted(
    repeat(json.sign, numberIn(schema.minLength) ?? 0, numberIn(schema.maxLength) ?? Number.POSITIVE_INFINITY),
  );
}

function integersOf(limits: Limits, around: Around): Node {
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = limits;
  if (Math.ceil(least) > Math.floor(most)) throw refused(around, `no integer is from ${least} to ${most}`);
  return integersIn(limits);
}

/** Of a number with a fraction only the sign is kept within limits. */
function numberOf(schema: Schema, around: Around): Node {
  const { least, most } = limitsOf(schema);
  if (least === undefined && most === undefined) return json.number;
  if (!(least === 0 && most === undefined)) around.loose.add("minimum and maximum of numbers that are no integers");
  return least !== undefined && least >= 0 ? sequence(json.natural, json.fraction) : json.number;
}

function limitsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema) {
  const above = numberIn(exclusiveMinimum);
  const below = numberIn(exclusiveMaximum);
  const least = numberIn(minimum) ?? (above === undefined ? undefined : Math.floor(above) + 1);
  const most = numberIn(maximum) ?? (below === undefined ? undefined : Math.ceil(below) - 1);
  return { ...(least !== undefined && { least }), ...(most !== undefined && { most }) };
}

function referred(reference: string, around: Around): Node {
  const known = around.known.get(reference) ?? later(() => nodeOf(target(reference, around), around));
  around.known.set(reference, known);
  return known;
}

function target(reference: string, around: Around): unknown {
  if (!reference.startsWith("#")) throw refused(around, `"$ref" leads out of it: ${reference}`);
  const path = reference
    .slice(1)
    .split("/")
    .filter((part) => part !== "");
  let at: unknown = around.root;
  for (const part of path) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined;
  }
  if (at === undefined) throw refused(around, `"$ref" leads nowhere: ${reference}`);
  return at;
}

/** All of them at once, as far as they name different things; of the same keyword the last one holds. */
function merged(schemas: readonly unknown[], around: Around): Schema {
  const all: Schema = {};
  for (const each of schemas) {
    const schema = isSchema(each) && typeof each.$ref === "string" ? target(each.$ref, around) : each;
    if (!isSchema(schema)) continue;
    const properties = { ...schemaIn(all.properties), ...schemaIn(schema.properties) };
    const required = [...listIn(all.required), ...listIn(schema.required)];
    Object.assign(all, schema);
    if (Object.keys(properties).length > 0) Object.assign(all, { properties });
    if (required.length > 0) Object.assign(all, { required });
  }
  return all;
}

const schemaIn = (value: unknown): Schema => (isSchema(value) ? value : {});
const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const numberIn = (value: unknown) => (typeof value === "number" ? value : undefined);
const listIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

const refused = ({ field }: Around, why: string) =>
  wrong([...field], `The JSON schema cannot be kept to: ${why}`, "value_error");

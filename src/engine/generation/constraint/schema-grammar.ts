// The grammar of the JSON texts that a JSON Schema (2020-12, and what OpenAI's clients send of it) describes.
import { areApart } from "./apart.ts";
import { type Automaton, createAutomaton, type State } from "./automaton.ts";
import { differentItems } from "./different-items.ts";
import {
  anyOfTexts,
  beyondAscii,
  choice,
  later,
  literal,
  type Node,
  nothing,
  oneOf,
  repeat,
  sequence,
} from "./grammar.ts";
import * as json from "./json-grammar.ts";
import { takesKind, typesOf, valuesIn } from "./kinds.ts";
import { integersOf, numberOf } from "./number-grammar.ts";
import { patternGrammar } from "./pattern-grammar.ts";
import {
  checked,
  flattened,
  isShaping,
  listIn,
  numberIn,
  refused,
  type Schema,
  schemaIn,
  target,
  type Within,
} from "./whole-schema.ts";

type Around = Within & {
  /** Of references and of what is put together: the same node each time, so that a schema may contain itself. */
  known: Map<string, Extract<Node, { is: "later" }>>;
  /** Keywords that are not enforced. */
  loose: Set<string>;
};

/** A schema that multiplies while its parts are put together ends somewhere. */
const MOST_KNOWN = 5000;

export type SchemaGrammar = {
  grammar: Node;
  /** Keywords of the schema that the grammar does not enforce: for the caller to know. */
  loose: string[];
};

const LOOSE = ["minProperties", "maxProperties", "format"];

/** `field`: for errors. Throws `invalid_input` for what cannot be enforced and would be missed. */
export function schemaGrammar(root: Schema, field: readonly string[]): SchemaGrammar {
  const around: Around = { root, known: new Map(), field, loose: new Set() };
  const grammar = nodeOf(root, around);
  // All that it refers to is made now: what cannot be kept to is known before anything is computed.
  for (const node of around.known.values()) node.make();
  if (!createAutomaton(grammar)) throw refused(around, "no text fits it");
  return { grammar, loose: [...around.loose] };
}

function nodeOf(given: unknown, around: Around): Node {
  if (given === true) return json.value;
  const schema = checked(given, around);
  if (typeof schema.$ref === "string" && !isShaping(schema)) return known(schema.$ref, around, () => schema.$ref);
  if ("$ref" in schema || "allOf" in schema) {
    const whole = () => flattened(schema, around) || noText(around);
    return known(JSON.stringify(schema), around, whole);
  }
  for (const keyword of LOOSE) if (keyword in schema) around.loose.add(keyword);
  if ("enum" in schema || "const" in schema) return valuesOf(schema, around);
  if ("anyOf" in schema || "oneOf" in schema) return optionsOf(schema, around);
  const types = typesOf(schema);
  const nodes = types.map((type) => typed(type, schema, around));
  return choice(...nodes, ...(schema.nullable === true && !types.includes("null") ? [json.empty] : []));
}

/** Those of the values that fit what stands beside them. */
function valuesOf(schema: Schema, around: Around): Node {
  return anyOfTexts(fittingValues(schema, around).map((value) => JSON.stringify(value)));
}

function fittingValues(schema: Schema, around: Around): unknown[] {
  const { enum: _, const: _single, ...rest } = schema;
  const isText = ["pattern", "minLength", "maxLength"].some((keyword) => keyword in rest);
  const texts = isText ? createAutomaton(stringOf(rest, around)) : undefined;
  const fits = (value: unknown) =>
    takesKind(rest, value) && (typeof value !== "string" || !texts || takes(texts, value));
  const kept = (valuesIn(schema) ?? []).filter(fits);
  if (kept.length === 0) throw refused(around, "its enum or const allows nothing");
  return kept;
}

function takes(automaton: Automaton, value: string): boolean {
  let state: State | undefined = automaton.start;
  for (const byte of utf8.encode(JSON.stringify(value))) state = state && automaton.step(state, byte);
  return state?.isEnd === true;
}

const utf8 = new TextEncoder();

/** What stands beside a choice holds for each of its options; those that nothing fits then are none. */
function optionsOf(schema: Schema, around: Around): Node {
  const name = "anyOf" in schema ? "anyOf" : "oneOf";
  const { [name]: options, ...beside } = schema;
  const { nullable, ...own } = beside;
  const whole = (options as unknown[]).map((option) => (isShaping(own) ? { allOf: [own, option] } : option));
  const kept = whole.filter((each) => flattened(each, around));
  if (name === "oneOf" && !areApart(kept, around)) around.loose.add("that no other option of oneOf fits");
  const nodes = kept.map((each) => nodeOf(each, around));
  if (nodes.length === 0) throw refused(around, `its ${name} allows nothing`);
  return choice(...nodes, ...(nullable === true ? [json.empty] : []));
}

const noText = (around: Around): never => {
  throw refused(around, "nothing fits all that it asks for");
};

function typed(type: string, schema: Schema, around: Around): Node {
  switch (type) {
    case "object":
      return objectOf(schema, around);
    case "array":
      return arrayOf(schema, around);
    case "string":
      return stringOf(schema, around);
    case "integer":
      return integersOf(schema, around);
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
  const properties = Object.entries(schemaIn(schema.properties)).filter(([, each]) => each !== false);
  const required = new Set(listIn(schema.required));
  const more = schema.additionalProperties ?? !("properties" in schema || required.size > 0);
  const others = more === false ? undefined : nodeOf(more, around);
  const unnamed = [...required].filter((name) => !properties.some(([known]) => known === name));
  const forbidden = unnamed.find((name) => schemaIn(schema.properties)[name] === false);
  if (forbidden !== undefined || (unnamed.length > 0 && schema.additionalProperties === false))
    throw refused(around, `it requires "${forbidden ?? unnamed[0]}" and allows no such member`);
  const members = [
    ...properties.map(([name, each]) => ({ name, isRequired: required.has(name), of: nodeOf(each, around) })),
    ...unnamed.map((name) => ({ name, isRequired: true, of: others ?? json.value })),
  ];
  const names = [...members.map(({ name }) => name), ...Object.keys(schemaIn(schema.properties))];
  const named = members.map(({ name, of, ...rest }) => ({
    ...rest,
    node: json.member(literal(JSON.stringify(name)), of),
  }));
  return sequence(oneOf("{"), membersFrom(named, others && json.member(otherThan(names), others)), oneOf("}"));
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
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems.slice(0, most) : [];
  const isClosed = schema.items === false || ("prefixItems" in schema && schema.items === undefined);
  const longest = isClosed ? Math.min(most, prefix.length) : most;
  if (least > longest) throw refused(around, `no list has at least ${least} and at most ${longest} items`);
  if (longest === 0) return json.listOf(json.value, 0, 0);
  const different =
    schema.uniqueItems === true && longest > 1 ? differentOf(schema, around, { least, most }) : undefined;
  if (different) return different;
  if (prefix.length === 0) return json.listOf(nodeOf(schema.items ?? true, around), least, most);
  const spaced = prefix.map((each) => sequence(json.blank, nodeOf(each, around), json.blank));
  const items = spaced.map((each, at) => (at === 0 ? each : sequence(oneOf(","), each)));
  const others = isClosed || most <= prefix.length ? undefined : nodeOf(schema.items, around);
  const more = others
    ? repeat(
        sequence(oneOf(","), json.blank, others, json.blank),
        Math.max(0, least - prefix.length),
        most - prefix.length,
      )
    : nothing;
  return sequence(oneOf("["), ...items, more, oneOf("]"));
}

/** Items of a few known values; undefined for others, of which that is told. */
function differentOf(schema: Schema, around: Around, { least, most }: { least: number; most: number }) {
  const items = flattened(schema.items ?? true, around);
  const values = items && !("prefixItems" in schema) ? knownValues(items, around) : undefined;
  if (values && least > new Set(values).size)
    throw refused(around, `there are only ${new Set(values).size} different items for a list of at least ${least}`);
  const node = values && differentItems({ texts: values, least, most });
  if (!node) around.loose.add("uniqueItems");
  return node;
}

function knownValues(schema: Schema, around: Around): string[] | undefined {
  if (valuesIn(schema)) return fittingValues(schema, around).map((value) => JSON.stringify(value));
  return schema.type === "boolean" ? ["true", "false"] : undefined;
}

function stringOf(schema: Schema, around: Around): Node {
  const { pattern } = schema;
  if (typeof pattern === "string") {
    if ("minLength" in schema || "maxLength" in schema) around.loose.add("minLength and maxLength beside pattern");
    const grammar = patternGrammar(pattern);
    if (!grammar) throw refused(around, `the pattern ${pattern} uses what cannot be enforced here`);
    return json.quoted(grammar);
  }
  const [least, most] = [numberIn(schema.minLength) ?? 0, numberIn(schema.maxLength) ?? Number.POSITIVE_INFINITY];
  if (least > most) throw refused(around, `no text has at least ${least} and at most ${most} signs`);
  return json.quoted(repeat(json.sign, least, most));
}

/** The same node for the same words, which may lead back to themselves. */
function known(words: string, around: Around, schema: () => unknown): Node {
  const node =
    around.known.get(words) ?? later(() => nodeOf(words.startsWith("{") ? schema() : target(words, around), around));
  around.known.set(words, node);
  if (around.known.size > MOST_KNOWN) throw refused(around, "it is too large");
  return node;
}

/** Names of members that have no schema of their own. */
function otherThan(names: readonly string[]): Node {
  return names.length === 0
    ? json.text
    : json.quoted(beside(names.map((name) => [...JSON.stringify(name).slice(1, -1)])));
}

/** Signs that are none of the words; what they begin with alike is written without escapes, which could write a word. */
function beside(words: readonly (readonly string[])[]): Node {
  const rest = Map.groupBy(
    words.filter((word) => word.length > 0),
    ([first = ""]) => first,
  );
  const isBeyond = [...rest.keys()].some((sign) => sign.charCodeAt(0) > 0x7f);
  const ascii = json.ascii.filter((sign) => !rest.has(sign)).join("");
  const free = choice(oneOf(ascii), ...(isBeyond ? [] : [beyondAscii]));
  return choice(
    ...(words.some((word) => word.length === 0) ? [] : [nothing]),
    sequence(free, repeat(json.sign, 0)),
    ...[...rest].map(([sign, of]) => sequence(literal(sign), beside(of.map((word) => word.slice(1))))),
  );
}

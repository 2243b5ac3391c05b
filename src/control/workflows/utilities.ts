// Nodes that compute a small thing between models: no job, no price, the same result every time.
import { choice, parse, type Static, type TObject, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { valueAt } from "./references.ts";

export type Utility = {
  summary: string;
  input: TObject;
  output: TObject;
  /** Throws `invalid_input`. */
  run(input: unknown): Record<string, unknown>;
};

const define = <In extends TObject, Out extends TObject>(
  utility: Omit<Utility, "run"> & { input: In; output: Out; run(input: Static<In>): Static<Out> },
): Utility => ({ ...utility, run: (given) => utility.run(parse(utility.input, given)) });

const anything = Type.Unknown();
const text = Type.String({ maxLength: 1_000_000 });
const value = Type.Object({ value: anything });

const utilities: Record<string, Utility> = {
  "text-concat": define({
    summary: "One text after the other",
    input: Type.Object({ text1: Type.String({ maxLength: 1_000_000, default: "" }), text2: text }),
    output: Type.Object({ results: Type.String() }),
    run: ({ text1, text2 }) => ({ results: text1 + text2 }),
  }),
  "merge-text": define({
    summary: "Joins texts",
    input: Type.Object({
      texts: Type.Array(text, { minItems: 1, maxItems: 100 }),
      separator: Type.String({ default: "" }),
    }),
    output: Type.Object({ text: Type.String() }),
    run: ({ texts, separator }) => ({ text: texts.join(separator) }),
  }),
  template: define({
    summary: "Fills {name} in a text",
    input: Type.Object({ template: text, values: Type.Record(Type.String(), anything, { default: {} }) }),
    output: Type.Object({ text: Type.String() }),
    run: ({ template, values }) => ({
      text: template.replace(/\{([\w-]+)\}/g, (whole, name) =>
        Object.hasOwn(values, name) ? asText(values[name]) : whole,
      ),
    }),
  }),
  "text-replace": define({
    summary: "Replaces a part of a text wherever it stands",
    input: Type.Object({ text, search: Type.String({ minLength: 1 }), replacement: Type.String({ default: "" }) }),
    output: Type.Object({ text: Type.String() }),
    run: ({ text, search, replacement }) => ({ text: text.replaceAll(search, () => replacement) }),
  }),
  "text-split": define({
    summary: "Splits a text into trimmed parts, empty ones left out",
    input: Type.Object({ text, separator: Type.String({ default: "\n", minLength: 1 }) }),
    output: Type.Object({ items: Type.Array(Type.String()) }),
    run: ({ text, separator }) => ({ items: text.split(separator).flatMap((part) => part.trim() || []) }),
  }),
  "json-parse": define({
    summary: "Reads JSON from a text, also from a fenced block in it",
    input: Type.Object({ text }),
    output: value,
    run: ({ text }) => ({ value: readJson(/```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1] ?? text) }),
  }),
  select: define({
    summary: "One of a list; negative indexes count from the end",
    input: Type.Object({ items: Type.Array(anything), index: Type.Integer({ default: 0 }) }),
    output: Type.Object({ item: anything }),
    run: ({ items, index }) => {
      if (items.at(index) === undefined) throw wrongField("index", `There are ${items.length} items`);
      return { item: items.at(index) };
    },
  }),
  pick: define({
    summary: "The value at a path such as images.0.url",
    input: Type.Object({ from: anything, path: Type.String({ maxLength: 1000 }) }),
    output: value,
    run: ({ from, path }) => ({ value: valueAt(from, path === "" ? [] : path.split(".")) ?? null }),
  }),
  "first-of": define({
    summary: "The first of several values that is there and not empty",
    input: Type.Object({ values: Type.Array(anything, { maxItems: 100 }) }),
    output: value,
    run: ({ values }) => ({ value: values.find((each) => each !== null && each !== undefined && each !== "") ?? null }),
  }),
  collect: define({
    summary: "One flat list of items and lists of items",
    input: Type.Object({ items: Type.Array(anything, { maxItems: 1000 }) }),
    output: Type.Object({ items: Type.Array(anything), count: Type.Integer() }),
    run: ({ items }) => ({ items: items.flat(), count: items.flat().length }),
  }),
  choose: define({
    summary: "One of two values, by whether `value` equals `equals`",
    input: Type.Object({
      value: anything,
      equals: Type.Unknown({ default: true }),
      if_equal: Type.Optional(anything),
      otherwise: Type.Optional(anything),
    }),
    output: value,
    run: (input) => ({ value: (Bun.deepEquals(input.value, input.equals) ? input.if_equal : input.otherwise) ?? null }),
  }),
  arithmetic: define({
    summary: "Computes with two numbers",
    input: Type.Object({
      a: Type.Number(),
      b: Type.Number({ default: 0 }),
      operation: choice(["add", "subtract", "multiply", "divide", "modulo", "min", "max"], { default: "add" }),
      round: Type.Boolean({ default: false, description: "To a whole number" }),
    }),
    output: Type.Object({ result: Type.Number() }),
    run: ({ a, b, operation, round }) => {
      const result = operations[operation](a, b);
      if (!Number.isFinite(result)) throw wrongField("b", "The result is no number");
      return { result: round ? Math.round(result) : result };
    },
  }),
};

const operations = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
  modulo: (a: number, b: number) => a % b,
  min: Math.min,
  max: Math.max,
};

const asText = (each: unknown) => (typeof each === "string" ? each : JSON.stringify(each));

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrongField("text", `JSON decode error: ${error instanceof Error ? error.message : error}`);
  }
}

/** `text-concat` and `merge-text` are fal's, with fal's fields; its oldest has an id of its own. */
const PREFIXES = ["forecourt/workflow-utilities/", "fal-ai/workflow-utilities/", "fal-ai/workflowutils/"];
const OWN_IDS: Record<string, string> = { "fal-ai/text-concat": "text-concat" };

/** Undefined for an endpoint id that is no utility's. */
export function utilityOf(app: string): Utility | undefined {
  const prefix = PREFIXES.find((each) => app.startsWith(each));
  const ownName = Object.hasOwn(OWN_IDS, app) ? OWN_IDS[app] : undefined;
  const name = ownName ?? (prefix === undefined ? "" : app.slice(prefix.length));
  return Object.hasOwn(utilities, name) ? utilities[name] : undefined;
}

export const utilityNames = Object.keys(utilities).map((name) => `${PREFIXES[0]}${name}`);

// Parsing input: defaults in, unknown fields out, and one problem for each wrong field in fal's words.
import { expect, test } from "bun:test";
import { type FieldProblem, ForecourtError } from "../../src/core/errors.ts";
import { choice, mediaUrl, parse, Type } from "../../src/core/schema.ts";

const schema = Type.Object({
  prompt: Type.String({ minLength: 1, maxLength: 10 }),
  steps: Type.Integer({ default: 4, minimum: 1, maximum: 50 }),
  scale: Type.Number({ default: 1, exclusiveMinimum: 0, exclusiveMaximum: 20, multipleOf: 0.5 }),
  format: choice(["png", "jpeg"], { default: "png" }),
  size: Type.Optional(Type.Union([choice(["square", "wide"]), Type.Object({ width: Type.Integer({ minimum: 8 }) })])),
  seed: Type.Optional(Type.Integer()),
  note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  images: Type.Optional(Type.Array(mediaUrl("image", "Pictures."), { minItems: 1, maxItems: 2 })),
});

const problems = (value: unknown): FieldProblem[] => {
  try {
    parse(schema, value);
  } catch (error) {
    if (error instanceof ForecourtError && error.code === "invalid_input") return error.problems ?? [];
    throw error;
  }
  return [];
};

test("defaults are filled in and unknown fields dropped, in a copy", () => {
  const given = { prompt: "x", unknown: 1 };
  expect(parse(schema, given)).toEqual({ prompt: "x", steps: 4, scale: 1, format: "png" });
  expect(given).toEqual({ prompt: "x", unknown: 1 });
});

test("null in an optional field means that it is absent, unless null is one of its values", () => {
  expect(parse(schema, { prompt: "x", seed: null, steps: null, note: null })).toEqual({
    prompt: "x",
    steps: 4,
    scale: 1,
    format: "png",
    note: null,
  });
});

test("so it does within objects, lists and the branch of a union that a value names; values without fields stay", () => {
  const optional = { level: Type.Optional(Type.Integer()) };
  const inner = Type.Object({ kind: Type.Literal("inner"), ...optional });
  const other = Type.Object({ kind: Type.Literal("other"), level: Type.Integer() });
  const deep = Type.Object({
    one: Type.Object(optional),
    list: Type.Array(Type.Union([Type.String(), other, inner])),
    either: Type.Union([Type.String(), Type.Array(inner)]),
    free: Type.Record(Type.String(), Type.Unknown()),
  });
  const given = { kind: "inner", level: null };
  expect(parse(deep, { one: { level: null }, list: ["a", given], either: [given], free: { a: null } })).toEqual({
    one: {},
    list: ["a", { kind: "inner" }],
    either: [{ kind: "inner" }],
    free: { a: null },
  });
  const wrong = { one: {}, list: [{ kind: "other", level: null }], either: "", free: {} };
  expect(() => parse(deep, wrong)).toThrow(/list\.0\.level/);
});

test("null in a required field is wrong", () => {
  expect(problems({ prompt: null })).toMatchObject([{ loc: ["body", "prompt"], type: "string_type" }]);
});

const cases: [string, Record<string, unknown>, Partial<FieldProblem>][] = [
  ["a missing field", { prompt: undefined }, { loc: ["body", "prompt"], type: "missing", msg: "Field required" }],
  ["a text for an integer", { steps: "four" }, { loc: ["body", "steps"], type: "int_type", input: "four" }],
  ["a fraction for an integer", { steps: 1.5 }, { type: "int_type" }],
  ["NaN", { seed: Number.NaN }, { type: "int_type", input: "NaN" }],
  ["too small a number", { steps: 0 }, { type: "greater_than_equal", ctx: { ge: 1 } }],
  ["too large a number", { steps: 51 }, { type: "less_than_equal", ctx: { le: 50 }, input: 51 }],
  ["a number on the open lower bound", { scale: 0 }, { type: "greater_than", ctx: { gt: 0 } }],
  ["a number on the open upper bound", { scale: 20 }, { type: "less_than", ctx: { lt: 20 } }],
  ["a number between the steps", { scale: 0.7 }, { type: "multiple_of", ctx: { multiple_of: 0.5 } }],
  ["an empty text", { prompt: "" }, { type: "sequence_too_short", ctx: { min_length: 1 } }],
  ["too long a text", { prompt: "x".repeat(11) }, { type: "sequence_too_long", ctx: { max_length: 10 } }],
  ["an empty list", { images: [] }, { type: "sequence_too_short", ctx: { min_length: 1 } }],
  ["an object for a text", { prompt: {} }, { type: "string_type" }],
  ["a wrong choice", { format: "gif" }, { type: "one_of", ctx: { expected: ["png", "jpeg"] } }],
  ["a wrong name in a union", { size: "tall" }, { loc: ["body", "size"], type: "one_of" }],
  ["a wrong part in a union", { size: { width: 1 } }, { loc: ["body", "size", "width"], type: "greater_than_equal" }],
  ["a missing part in a union", { size: {} }, { loc: ["body", "size", "width"], type: "missing" }],
  ["a wrong item", { images: ["u", 5] }, { loc: ["body", "images", 1], type: "string_type", input: 5 }],
];

test.each(cases)("%s is told", (_, change, expected) => {
  expect(problems({ prompt: "x", ...change })).toMatchObject([expected]);
});

test("parts of a union that name themselves: another's name, a fault within the named one, and nothing of either", () => {
  const text = Type.Object({ type: choice(["text", "input_text"]), text: Type.String() });
  const picture = Type.Object({ type: Type.Literal("picture"), url: Type.String(), size: choice(["small", "large"]) });
  const parts = Type.Object({ part: Type.Union([Type.String(), text, picture, Type.Null()]) });
  const told = (part: unknown) => {
    try {
      return parse(parts, { part });
    } catch (error) {
      return error instanceof ForecourtError
        ? error.problems?.map(({ loc, msg }) => [loc.slice(1).join("."), msg])
        : [];
    }
  };
  const names = 'Input should be one of "text", "input_text", "picture"';
  expect(told({ type: "sound", url: "x" })).toEqual([["part.type", names]]);
  expect(told({ type: "picture", size: "small" })).toEqual([["part.url", "Field required"]]);
  expect(told({ type: "picture", url: "x", size: "huge" })).toEqual([
    ["part.size", 'Input should be one of "small", "large"'],
  ]);
  const alone = Type.Object({ part: picture });
  expect(() => parse(alone, { part: { type: "sound", size: "small" } })).toThrow(/^part.type: [^;]*"picture"$/);
  expect(told(5)).toMatchObject([["part", expect.stringContaining("one of")]]);
});

test("a field that there is none of says why", () => {
  const schema = Type.Object({ search: Type.Optional(Type.Null({ description: "There is no search here" })) });
  expect(parse(schema, { search: null })).toEqual({ search: null });
  expect(() => parse(schema, { search: {} })).toThrow("search: There is no search here");
});

test("each wrong field is told once", () => {
  expect(problems({ steps: 0, format: "gif" }).map(({ loc }) => loc[1])).toEqual(["prompt", "steps", "format"]);
});

test.each([
  ["a list", []],
  ["a text", "x"],
  ["a number", 1],
  ["null", null],
])("%s is no input at all", (_, value) => {
  expect(problems(value)).toMatchObject([{ loc: ["body"], type: "dict_type" }]);
});

test("an object in the place of a list with a default is wrong, and a list in the place of an object", () => {
  const inner = Type.Object({ words: Type.Array(Type.String(), { default: [] }) });
  const mixed = Type.Object({
    list: Type.Array(Type.Unknown(), { default: [1] }),
    map: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
    deep: Type.Optional(Type.Array(inner)),
  });
  const wrong = (value: unknown) => {
    try {
      return parse(mixed, value);
    } catch (error) {
      return error instanceof ForecourtError ? error.problems?.map(({ loc }) => loc.slice(1)) : error;
    }
  };
  expect(wrong({})).toEqual({ list: [1], map: {} });
  expect(wrong({ list: {} })).toEqual([["list"]]);
  expect(wrong({ map: [] })).toEqual([["map"]]);
  expect(wrong({ deep: [{}, { words: {} }] })).toEqual([["deep", 1, "words"]]);
  expect(wrong({ list: [{ a: 1 }], map: { a: [] } })).toEqual({ list: [{ a: 1 }], map: { a: [] } });
});

test("a long wrong value is cut in the answer", () => {
  const [problem] = problems({ prompt: "x".repeat(100_000) });
  expect(String(problem?.input).length).toBeLessThan(300);
});

test("fields of the prototype are no input", () => {
  expect(parse(schema, JSON.parse('{"prompt": "x", "__proto__": {"steps": 9}}'))).toMatchObject({ steps: 4 });
});

test("of a long list in which all is wrong, and of wide values in wrong places, a part is told", () => {
  const lists = Type.Object({ numbers: Type.Array(Type.Number()), text: Type.String() });
  const numbers = Array.from({ length: 100_000 }, () => "a");
  const wide = Object.fromEntries(numbers.map((_, at) => [`field ${at}`, at]));
  const wrong = (value: object) => {
    try {
      parse(lists, value);
    } catch (error) {
      return (error as ForecourtError).problems ?? [];
    }
    return [];
  };
  expect(wrong({ numbers, text: "a" })).toBeArrayOfSize(500);
  const echoed = (text: unknown) => wrong({ numbers: [], text }).map(({ input }) => input);
  expect(echoed(numbers)).toEqual(["a list of 100000 values"]);
  expect(echoed(wide)).toEqual(["an object of 100000 fields"]);
  expect(echoed([["a".repeat(300)]])).toEqual([`[["${"a".repeat(197)}... (306 characters)`]);
});

test("unknown fields cost nothing but to be read over", () => {
  const unknown = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`field ${at}`, at]));
  Object.defineProperty(unknown, "last", { enumerable: true, get: () => expect.unreachable("it is copied") });
  expect(parse(Type.Object({ prompt: Type.String() }), { ...{ prompt: "x" }, unknown })).toEqual({ prompt: "x" });
});

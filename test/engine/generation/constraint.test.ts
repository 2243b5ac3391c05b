// Answers kept to JSON, to JSON schemas and to calls of tools: random models can write nothing else.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { parse, type TObject, Type } from "../../../src/core/schema.ts";
import { createAutomaton } from "../../../src/engine/generation/constraint/automaton.ts";
import type { Node } from "../../../src/engine/generation/constraint/grammar.ts";
import { patternGrammar } from "../../../src/engine/generation/constraint/pattern-grammar.ts";
import { schemaGrammar } from "../../../src/engine/generation/constraint/schema-grammar.ts";
import type { Schema } from "../../../src/engine/generation/constraint/whole-schema.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { ask } from "../support/language.ts";

setDefaultTimeout(60_000);

/** Whether the text is one of the grammar's. */
const takes = (grammar: Node, text: string) => taking(grammar)(text);

function taking(grammar: Node): (text: string) => boolean {
  const automaton = createAutomaton(grammar);
  return (text) => {
    let state = automaton?.start;
    for (const byte of new TextEncoder().encode(text)) state = state && automaton?.step(state, byte);
    return state?.isEnd === true;
  };
}
const chance = seededRandom(1);
/** A text of the grammar, whichever: where a way leads nowhere there is none. */
function wander(grammar: Node): string {
  const automaton = createAutomaton(grammar);
  let state = automaton?.start;
  const bytes: number[] = [];
  while (state && !state.isFull && !(state.isEnd && chance() < 0.3)) {
    const at = state;
    const ways = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => automaton?.step(at, byte));
    const byte = ways[Math.floor(chance() * ways.length)] ?? 0;
    state = automaton?.step(at, byte);
    bytes.push(byte);
  }
  if (!state?.isEnd) throw new Error(`${String.fromCharCode(...bytes)} leads nowhere`);
  return new TextDecoder().decode(new Uint8Array(bytes));
}
const fits = (schema: Schema, text: string) => takes(schemaGrammar(schema, []).grammar, text);

const cases: [string, Schema, string[], string[]][] = [
  [
    "any value",
    {},
    ['{"a": [1, -2.5e+3, "x\\n\\u00e9 é", null, true]}', "[]", "{}", '""', "0"],
    ["", "{", "[1,]", "01", "+1", "'a'", '{"a"}', '"\n"', "tru"],
  ],
  ["types", { type: ["integer", "null"] }, ["12", "-3", "null"], ["1.5", '"1"', "true"]],
  [
    "const and enum",
    { enum: ["red", 1, null, { a: [1] }] },
    ['"red"', "1", "null", '{"a":[1]}'],
    ['"blue"', "2", '{"a":[2]}'],
  ],
  [
    "required and optional members, in order",
    {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "string" }, c: { type: "boolean" } },
      required: ["b"],
    },
    ['{"b":"x"}', '{ "a": 1, "b": "x" }', '{"a":1,"b":"","c":true}', '{"b":"x",\n "c":false}'],
    ["{}", '{"a":1}', '{"b":"x","a":1}', '{"b":"x","d":1}', '{"b":"x",}', '{,"b":"x"}'],
  ],
  [
    "no required members",
    { type: "object", properties: { a: { type: "integer" }, b: { type: "integer" } }, additionalProperties: false },
    ["{}", '{"a":1}', '{"b":1}', '{"a":1,"b":2}'],
    ['{"a":1,"a":2}', '{"c":1}'],
  ],
  [
    "other members",
    {
      type: "object",
      properties: { a: { type: "integer" } },
      required: ["a"],
      additionalProperties: { type: "boolean" },
    },
    ['{"a":1}', '{"a":1,"x":true,"y":false}'],
    ['{"x":true}', '{"a":1,"x":1}'],
  ],
  ["maps", { type: "object", additionalProperties: { type: "integer" } }, ["{}", '{"x":1,"y":2}'], ['{"x":"1"}']],
  [
    "lists",
    { type: "array", items: { type: "integer" }, minItems: 1, maxItems: 3 },
    ["[1]", "[ 1 , 2,3 ]"],
    ["[]", "[1,2,3,4]", '["1"]'],
  ],
  [
    "tuples",
    { type: "array", prefixItems: [{ type: "integer" }, { type: "string" }], items: false },
    ['[1,"a"]'],
    ["[1]", '[1,"a",2]'],
  ],
  [
    "lengths of strings",
    { type: "string", minLength: 2, maxLength: 3 },
    ['"ab"', '"é世🙂"', '"a\\u00e9b"'],
    ['"a"', '"abcd"'],
  ],
  [
    "patterns",
    { type: "string", pattern: "^[A-Z]{2}-\\d+(x|yz)?$" },
    ['"AB-1"', '"XY-123yz"'],
    ['"A-1"', '"AB-"', '"AB-1y"', '"ab-1"'],
  ],
  [
    "a choice",
    { anyOf: [{ type: "integer" }, { type: "object", properties: { a: { const: 1 } }, required: ["a"] }] },
    ["5", '{"a":1}'],
    ['{"a":2}', '"5"'],
  ],
  [
    "all of them",
    {
      allOf: [
        { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { b: { type: "integer" } }, required: ["b"] },
      ],
    },
    ['{"a":1,"b":2}'],
    ['{"a":1}', '{"b":2}'],
  ],
  [
    "itself again",
    {
      $ref: "#/$defs/tree",
      $defs: {
        tree: {
          type: "object",
          properties: {
            value: { type: "integer" },
            left: { $ref: "#/$defs/tree" },
            right: { anyOf: [{ $ref: "#/$defs/tree" }, { type: "null" }] },
          },
          required: ["value"],
        },
      },
    },
    ['{"value":1,"left":{"value":2,"right":null}}'],
    ['{"value":1,"left":null}', '{"left":{"value":2}}'],
  ],
  [
    "what stands beside a reference",
    {
      $ref: "#/$defs/a",
      properties: { q: { type: "string", maxLength: 1 } },
      required: ["q"],
      $defs: { a: { type: "object", properties: { p: { type: "integer" } }, required: ["p"] } },
    },
    ['{"q":"x","p":1}'],
    ['{"p":1}', '{"q":"x"}'],
  ],
  [
    "what stands beside a list of values",
    { type: "string", enum: ["a", 1, "abc"], maxLength: 2 },
    ['"a"'],
    ["1", '"abc"'],
  ],
  ["values beside limits", { enum: [1, 2.5, 30, "x"], minimum: 2, type: "number" }, ["2.5", "30"], ["1", '"x"']],
  [
    "limits beside a choice",
    { anyOf: [{ type: "integer" }, { type: "null" }], minimum: 3 },
    ["3", "null"],
    ["2", "-5"],
  ],
  [
    "two choices at once",
    {
      allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }, { anyOf: [{ type: "string" }, { type: "null" }] }],
    },
    ['"a"'],
    ["1", "null"],
  ],
  [
    "all of all of them, and what both say of one member",
    {
      allOf: [
        { allOf: [{ type: "object", properties: { a: { type: "integer", minimum: 5 } }, required: ["a"] }] },
        { allOf: [{ properties: { a: { maximum: 7 }, b: { enum: [1, 2] } }, required: ["b"] }] },
        { properties: { b: { enum: [2, 3] } } },
      ],
    },
    ['{"a":5,"b":2}', '{"a":7,"b":2}'],
    ['{"a":4,"b":2}', '{"a":8,"b":2}', '{"a":5,"b":1}', '{"b":2}', '{"a":5}'],
  ],
  [
    "a member that another part allows none beside",
    {
      $defs: { base: { type: "object", properties: { a: { type: "null" } }, additionalProperties: false } },
      allOf: [{ $ref: "#/$defs/base" }, { properties: { b: { type: "null" } } }],
    },
    ["{}", '{"a":null}'],
    ['{"b":null}'],
  ],
  [
    "one member or the other",
    {
      ...{ type: "object", properties: { a: { type: "null" }, b: { type: "null" } } },
      anyOf: [{ required: ["a"] }, { required: ["b"] }, { type: "string" }],
    },
    ['{"a":null}', '{"b":null}', '{"a":null,"b":null}'],
    ["{}", '""'],
  ],
  [
    "other members have other names",
    {
      type: "object",
      properties: { ab: { type: "integer" }, é: { type: "integer" } },
      additionalProperties: { type: "boolean" },
    },
    ['{"ab":1,"a":true,"abc":true,"b":false}', '{"\u00e9":1}'.replace("\\u00e9", "é"), '{"x\\u00e9é":true}'],
    ['{"ab":true}', '{"ab":1,"ab":true}', '{"\\u0061b":true}', '{"é":true}'],
  ],
  [
    "tuples of fewer",
    { type: "array", prefixItems: [{ type: "integer" }, { type: "null" }], maxItems: 1 },
    ["[1]"],
    ["[1,null]", "[]"],
  ],
  [
    "limits of both kinds",
    { type: "integer", minimum: 0, exclusiveMinimum: 5, maximum: 9 },
    ["6", "9"],
    ["5", "0", "10"],
  ],
  ["numbers that a double holds", { type: "number" }, ["1e99", "-2E-07"], ["1e309", "1e999"]],
  ["what OpenAI's older clients call nullable", { type: "string", nullable: true }, ['"a"', "null"], ["1"]],
];

describe("a schema's grammar takes what fits and nothing else:", () => {
  for (const [name, schema, good, bad] of cases) {
    test(name, () => {
      for (const text of good) expect([text, fits(schema, text)]).toEqual([text, true]);
      for (const text of bad) expect([text, fits(schema, text)]).toEqual([text, false]);
    });
  }

  test("integers between bounds, all of them", () => {
    for (const [minimum, maximum] of [
      [0, 7],
      [-3, 12],
      [95, 1204],
      [-120, -9],
      [7, 7],
      [10, 99],
    ] as const) {
      const automaton = createAutomaton(schemaGrammar({ type: "integer", minimum, maximum }, []).grammar);
      const isIn = (value: number) => {
        let state = automaton?.start;
        for (const byte of new TextEncoder().encode(String(value))) state = state && automaton?.step(state, byte);
        return state?.isEnd === true;
      };
      for (let value = -1300; value <= 1300; value++)
        expect([value, isIn(value)]).toEqual([value, value >= minimum && value <= maximum]);
    }
    expect(fits({ type: "integer", exclusiveMinimum: 3 }, "3")).toBe(false);
    expect(fits({ type: "integer", exclusiveMinimum: 3 }, "40")).toBe(true);
    expect(fits({ type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 }, "-17")).toBe(true);
  });

  test("multiples of a number, all within the bounds and no others, none of which leads nowhere", () => {
    const bounds: Schema[] = [{}, { minimum: -40, maximum: 130 }, { exclusiveMinimum: 7, exclusiveMaximum: 91 }];
    for (const multipleOf of [1, 3, 7, 12, 30])
      for (const limits of bounds) {
        const schema = { type: "integer", multipleOf, ...limits };
        const { minimum = -1e9, maximum = 1e9, exclusiveMinimum = -1e9, exclusiveMaximum = 1e9 } = limits;
        const [least, most, above, below] = [minimum, maximum, exclusiveMinimum, exclusiveMaximum].map(Number);
        const { grammar, loose } = schemaGrammar(schema, []);
        expect(loose).toEqual([]);
        const isTaken = taking(grammar);
        for (let value = -150; value <= 150; value++) {
          const isWithin =
            value >= (least ?? 0) && value <= (most ?? 0) && value > (above ?? 0) && value < (below ?? 0);
          expect([multipleOf, limits, value, isTaken(String(value))]).toEqual([
            ...[multipleOf, limits, value, isWithin && value % multipleOf === 0],
          ]);
        }
        expect(takes(grammar, "007")).toBe(false);
        expect(takes(grammar, "-0")).toBe(false);
        for (let tries = 0; tries < 20; tries++) expect(Math.abs(Number(wander(grammar)) % multipleOf)).toBe(0);
      }
    expect(fits({ type: "integer", multipleOf: 1_000_003 }, "9000027000")).toBe(true);
    expect(fits({ type: "integer", multipleOf: 0.5 }, "7")).toBe(true);
  });

  test("multiples of fractions, with as many decimals as it needs and no others", () => {
    const price = { type: "number", multipleOf: 0.25, minimum: -1, exclusiveMaximum: 12 };
    for (const text of ["0", "-1", "-0.25", "0.5", "0.50", "11.75", "3.0"])
      expect([text, fits(price, text)]).toEqual([text, true]);
    for (const text of ["0.3", "12", "12.00", "-1.25", "0.255", "00.25", "1e1", ".5"])
      expect([text, fits(price, text)]).toEqual([text, false]);
    const cents = schemaGrammar({ multipleOf: 0.01, minimum: 0.29, maximum: 0.31 }, []);
    expect(["0.28", "0.29", "0.3", "0.30", "0.31", "0.32"].map((text) => takes(cents.grammar, text))).toEqual([
      ...[false, true, true, true, true, false],
    ]);
    expect(cents.loose).toEqual([]);
    expect(fits({ type: "number", multipleOf: 5 }, "5.5")).toBe(false);
    for (let tries = 0; tries < 50; tries++)
      expect(Number.isInteger(Number(wander(schemaGrammar(price, []).grammar)) * 4)).toBe(true);
    expect(schemaGrammar({ type: "number", multipleOf: 1e-9 }, []).loose).toEqual(["multipleOf"]);
  });

  test("lists of different items, of a few known values; of others that is told", () => {
    const colours = {
      $defs: { colour: { enum: ["red", "blue", 1] } },
      items: { $ref: "#/$defs/colour" },
      type: "array",
    };
    const unique = { ...colours, uniqueItems: true, minItems: 1, maxItems: 2 };
    expect(schemaGrammar(unique, []).loose).toEqual([]);
    for (const text of ['["red"]', '[ 1 , "red"]', '["blue",\n"red"]'])
      expect([text, fits(unique, text)]).toEqual([text, true]);
    for (const text of ["[]", '["red","red"]', "[1,1]", '["red","blue",1]', "[2]", '["red",]'])
      expect([text, fits(unique, text)]).toEqual([text, false]);
    expect(fits({ ...colours, uniqueItems: true }, '["red",1,"blue"]')).toBe(true);
    expect(fits({ type: "array", items: { type: "boolean" }, uniqueItems: true }, "[true,false]")).toBe(true);
    for (let tries = 0; tries < 20; tries++) {
      const list = JSON.parse(wander(schemaGrammar({ ...colours, uniqueItems: true, minItems: 2 }, []).grammar));
      expect(new Set(list).size).toBe(list.length);
    }
    expect(
      schemaGrammar({ type: "array", items: { type: "string" }, uniqueItems: true, maxItems: 1 }, []).loose,
    ).toEqual([]);
  });

  test("of oneOf whose options nothing fits twice there is nothing to tell; where something may, that is told", () => {
    const object = (properties: Schema, required = Object.keys(properties)) => ({
      type: "object",
      properties,
      required,
    });
    const kind = (name: string, more: Schema = {}) => object({ kind: { const: name }, ...more });
    const apart: Schema[][] = [
      [{ type: "string" }, { type: "null" }, { type: ["integer", "boolean"] }],
      [{ enum: ["a", "b"] }, { const: "c" }, { type: "integer" }],
      [kind("cat", { lives: { type: "integer" } }), kind("dog"), { type: "null" }],
      [object({ a: {} }), object({ b: {} })],
      [
        { ...object({ a: {} }), additionalProperties: false },
        { ...object({ a: {}, b: {} }), additionalProperties: false },
      ],
      [{ $ref: "#/$defs/cat" }, { anyOf: [{ $ref: "#/$defs/dog" }, { type: "string" }] }],
      [object({ in: kind("cat") }), object({ in: kind("dog"), out: {} })],
    ];
    const $defs = { cat: kind("cat"), dog: kind("dog") };
    for (const oneOf of apart) expect([oneOf, schemaGrammar({ oneOf, $defs }, []).loose]).toEqual([oneOf, []]);
    const overlapping: Schema[][] = [
      [{ type: "number" }, { type: "integer" }],
      [{ enum: ["a", "b"] }, { enum: ["b", "c"] }],
      [{ const: 3 }, { type: "integer", minimum: 2 }],
      [object({ a: {} }), object({ a: {}, b: {} }, ["a"])],
      [{ type: "object", additionalProperties: true }, kind("cat")],
      [kind("cat"), object({ kind: { type: "string" } })],
      [
        { type: "array", items: { type: "string" } },
        { type: "array", items: { type: "integer" } },
      ],
    ];
    for (const oneOf of overlapping)
      expect([oneOf, schemaGrammar({ oneOf }, []).loose]).toEqual([oneOf, ["that no other option of oneOf fits"]]);
  });

  test("one of 20,000 values", () => {
    const values = Array.from({ length: 20_000 }, (_, at) => `value ${at * 7919}`);
    const automaton = createAutomaton(schemaGrammar({ enum: values, type: "string", maxLength: 15 }, []).grammar);
    for (const [value, isIn] of [
      ...values.slice(0, 100).map((each) => [each, true] as const),
      ["value 1", false],
    ] as const) {
      let state = automaton?.start;
      for (const byte of new TextEncoder().encode(JSON.stringify(value))) state = state && automaton?.step(state, byte);
      expect([value, state?.isEnd === true]).toEqual([value, isIn]);
    }
    // Texts that begin alike share their states: 20,000 ways side by side would not.
    expect(automaton?.size).toBeLessThan(2000);
  });

  test("expressions as JavaScript has them, and no others", () => {
    const expressions = [
      "^\\d{3}-\\d{4}$",
      "^(a|b)*c?$",
      "x",
      "^[^a-c]+$",
      "^\\w+@\\w+\\.(com|org)$",
      "^.{2}$",
      '^a\\\\b"$',
    ];
    const strings = ["123-4567", "ababc", "", "axb", "xyz", "abc", "me@home.org", "me@home.net", "é1", 'a\\b"', "c"];
    for (const expression of expressions) {
      const grammar = patternGrammar(expression);
      if (!grammar) throw new Error(`not taken: ${expression}`);
      for (const text of strings)
        expect([expression, text, takes(grammar, JSON.stringify(text).slice(1, -1))]).toEqual([
          expression,
          text,
          new RegExp(expression, "u").test(text),
        ]);
    }
    for (const expression of ["(?=a)b", "(a)\\1", "a(?!b)", "\\bword", "\\p{L}"])
      expect(patternGrammar(expression)).toBeUndefined();
  });

  test("what is not kept to is told, what cannot be kept to is refused with the field", () => {
    expect(schemaGrammar({ type: "array", items: {}, uniqueItems: true }, []).loose).toEqual(["uniqueItems"]);
    for (const schema of [
      { not: {} },
      { $ref: "https://example.com/x" },
      { $ref: "#/$defs/none" },
      { type: "thing" },
      { enum: [] },
      { type: "integer", minimum: 3, maximum: 2 },
      { type: "string", pattern: "(?=a)" },
      { type: "array", minItems: 3, maxItems: 2 },
      { type: "array", prefixItems: [{ type: "integer" }], minItems: 2 },
      { type: "string", minLength: 3, maxLength: 2 },
      { type: "object", properties: { a: {} }, required: ["b"], additionalProperties: false },
      { allOf: [{ type: "string" }, { type: "integer" }] },
      { type: "string", enum: [1] },
      { type: "integer", minimum: "3" },
      { type: "integer", multipleOf: 7, minimum: 8, maximum: 13 },
      { type: "integer", multipleOf: 0 },
      { type: "array", items: { enum: [1, 2] }, uniqueItems: true, minItems: 3 },
      { type: "array", uniqueItems: "yes" },
      { allOf: [{ multipleOf: 0.3 }, { multipleOf: 0.2 }] },
      { type: "integer", minimum: 3, exclusiveMinimum: true },
      { type: [] },
      { anyOf: [] },
      {
        allOf: new Array(9)
          .fill({ anyOf: [{ type: "string" }, { type: "null" }] })
          .map((each, at) => ({ anyOf: [...each.anyOf, { const: at }] })),
      },
      { $ref: "#/%" },
      { $ref: "#/constructor" },
      { $dynamicRef: "#a" },
      { $ref: "#" },
      { allOf: [{ $ref: "#" }] },
      { anyOf: [{ $ref: "#" }], type: "object" },
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
      { type: "object", properties: { deep: { items: { $ref: "#/$defs/none" } } } },
    ])
      expect(() => schemaGrammar(schema, ["a", "b"])).toThrow("cannot be kept to");
  });
});

/** A schema and its check from one value; lengths are of signs by the standard, and checked below. */
const person = Type.Object({
  name: Type.String({ minLength: 1 }),
  age: Type.Integer({ minimum: 0, maximum: 130 }),
  tags: Type.Array(Type.Union([Type.Literal("red"), Type.Literal("green")]), { minItems: 1, maxItems: 3 }),
  home: Type.Optional(Type.Object({ city: Type.String() }, { additionalProperties: false })),
});
function format(schema: TObject) {
  const plain = JSON.parse(JSON.stringify(schema));
  plain.properties.name.maxLength = 12;
  plain.properties.home.properties.city.maxLength = 8;
  return { type: "json_schema", json_schema: { name: "it", schema: plain } };
}

for (const family of ["llama", "qwen3", "gemma3", "phi3"] as const) {
  describe(family, () => {
    test("writes JSON of the schema, whatever the seed, and ends with it", async () => {
      for (const seed of [1, 2, 3, 4]) {
        const { output } = await ask(family, {
          prompt: "A person",
          temperature: 1.5,
          seed,
          response_format: format(person),
          max_tokens: 400,
        });
        expect(output.finish_reason).toBe("stop");
        const { name, home } = parse(person, JSON.parse(output.output));
        expect([...name].length).toBeLessThanOrEqual(12);
        expect([...(home?.city ?? "")].length).toBeLessThanOrEqual(8);
      }
    });

    test("writes an object in JSON mode, or the beginning of one", async () => {
      for (const seed of [1, 2, 3]) {
        const { output } = await ask(family, {
          prompt: "JSON",
          temperature: 1,
          seed,
          response_format: { type: "json_object" },
          max_tokens: 60,
        });
        if (output.finish_reason === "stop") expect(JSON.parse(output.output)).toBeObject();
        else expect(output.output.trimStart()).toStartWith("{");
      }
    });
  });
}

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: {
        type: "object",
        properties: { city: { enum: ["Paris", "Rome"] }, days: { type: "integer", minimum: 1, maximum: 9 } },
        required: ["city"],
      },
    },
  },
  { type: "function", function: { name: "stop_all", parameters: { type: "object", properties: {} } } },
];

for (const family of ["llama", "qwen2", "gemma3"] as const) {
  test(`${family}: a tool that must be called is called, in the family's own way, and the call is parsed out`, async () => {
    const named = { type: "function", function: { name: "get_weather" } };
    const { output, steps } = await ask(
      family,
      { prompt: "Weather?", tools, tool_choice: named, temperature: 1, seed: 3, max_tokens: 200 },
      { wantsPartials: true },
    );
    expect(output).toMatchObject({
      output: "",
      finish_reason: "tool_calls",
      tool_calls: [{ id: expect.stringMatching(/^call_\w{24}$/), type: "function", function: { name: "get_weather" } }],
    });
    const given = JSON.parse(output.tool_calls?.[0]?.function.arguments ?? "");
    expect(["Paris", "Rome"]).toContain(given.city);
    expect(
      steps.flatMap((step) => (step.type === "partial" ? [(step.value as { output: string }).output] : [])),
    ).not.toContain("{");
    const any = await ask(family, {
      prompt: "Weather?",
      tools,
      tool_choice: "required",
      temperature: 1,
      seed: 5,
      max_tokens: 400,
    });
    if (any.output.finish_reason === "length") return; // cut off among further calls
    expect(any.output.tool_calls?.length).toBeGreaterThan(0);
    for (const call of any.output.tool_calls ?? []) expect(["get_weather", "stop_all"]).toContain(call.function.name);
  });
}

test("where calls must not be parallel, the answer ends with the first, though the family's way has room for more", async () => {
  const asked = { prompt: "Weather?", tools: tools.slice(0, 1), tool_choice: "required", temperature: 1, seed: 5 };
  const { output } = await ask("qwen2", { ...asked, parallel_tool_calls: false, max_tokens: 400 });
  expect(output).toMatchObject({ finish_reason: "tool_calls", tool_calls: [{ function: { name: "get_weather" } }] });
  expect(output.tool_calls).toHaveLength(1);
  const several = await ask("qwen2", { ...asked, max_tokens: 400 });
  expect(several.output.usage.completion_tokens).toBeGreaterThan(output.usage.completion_tokens);
});

test("a tool that there is not, and a call that is required without any, are refused", async () => {
  const missing = ask("llama", { prompt: "a", tools, tool_choice: { type: "function", function: { name: "none" } } });
  await expect(missing).rejects.toMatchObject({ problems: [{ loc: ["body", "tool_choice"] }] });
  await expect(ask("llama", { prompt: "a", tool_choice: "required" })).rejects.toMatchObject({
    problems: [{ loc: ["body", "tool_choice"] }],
  });
  const schema = { type: "json_schema", json_schema: { name: "x", schema: { not: {} } } };
  await expect(ask("llama", { prompt: "a", response_format: schema })).rejects.toMatchObject({
    problems: [{ loc: ["body", "response_format", "json_schema", "schema"] }],
  });
});

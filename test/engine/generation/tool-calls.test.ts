// Calls of tools in the ways that families of models write them, found in a text that comes piece by piece.
import { describe, expect, test } from "bun:test";
import { createToolWatch } from "../../../src/engine/generation/tools/tool-calls.ts";
import { dialectOf } from "../../../src/engine/generation/tools/tool-dialect.ts";

const names = new Set(["get_weather", "add"]);

function read(text: string, size: number, more: { most?: number } = {}) {
  let count = 0;
  const watch = createToolWatch({ marks: dialectOf(undefined).marks, names, newId: () => `call_${++count}`, ...more });
  const shown = (text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? []).map((piece) => watch.push(piece)).join("");
  const { text: rest, calls } = watch.end();
  return {
    shown,
    rest,
    calls: calls.map(({ function: called }) => [called.name, JSON.parse(called.arguments)] as [string, unknown]),
  };
}

/** What is told after each piece, and in the end. */
function grow(text: string, size: number) {
  let count = 0;
  const watch = createToolWatch({ marks: dialectOf(undefined).marks, names, newId: () => `call_${++count}` });
  const told = (text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? []).map((piece) => {
    watch.push(piece);
    return watch.growing();
  });
  return { told, end: watch.end() };
}

const paris: [string, unknown] = ["get_weather", { city: "Paris" }];
const sum: [string, unknown] = ["add", { a: 1, b: 2 }];
const called: [string, string, string, [string, unknown][]][] = [
  [
    "Hermes and Qwen",
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    "",
    [paris],
  ],
  [
    "Qwen, several after a text",
    'I look.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n</tool_call>',
    "I look.\n",
    [paris, sum],
  ],
  ["Hermes without its end", '<tool_call>{"name": "add", "arguments": {"a": 1, "b": 2}}', "", [sum]],
  ["Llama 3", '{"name": "get_weather", "parameters": {"city": "Paris"}}', "", [paris]],
  [
    "Llama 3 with its tag, several",
    '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}; {"name": "add", "parameters": {"a": 1, "b": 2}}',
    "",
    [paris, sum],
  ],
  [
    "Mistral, a list",
    '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "add", "arguments": {"a": 1, "b": 2}}]',
    "",
    [paris, sum],
  ],
  ["Mistral, newer", '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}[TOOL_CALLS]add{"a": 1, "b": 2}', "", [paris, sum]],
  ["a block of code", '```json\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n```', "", [sum]],
  ["arguments as text", '{"name": "add", "arguments": "{\\"a\\": 1, \\"b\\": 2}"}', "", [sum]],
];

for (const size of [1, 5, 1000]) {
  describe(`in pieces of ${size}`, () => {
    for (const [name, text, before, calls] of called) {
      test(`${name}: the calls are found, and nothing of them is shown`, () => {
        expect(read(text, size)).toEqual({ shown: before, rest: "", calls });
      });
    }

    test("a call is told as soon as its arguments have begun, and they grow to what they are in the end", () => {
      const asObjects = called.filter(([name]) => name !== "arguments as text");
      for (const [, text, , calls] of asObjects) {
        const { told, end } = grow(text, size);
        expect(end.calls.map(({ function: { name } }) => name)).toEqual(calls.map(([name]) => name));
        for (const [step, before] of told.entries())
          for (const [at, call] of before.entries()) {
            const later = told[step + 1]?.[at] ?? end.calls[at];
            expect(later).toMatchObject({ id: call.id, function: { name: call.function.name } });
            expect(later?.function.arguments).toStartWith(call.function.arguments);
          }
        if (size === 1) expect(new Set(told.map(([first]) => first?.function.arguments)).size).toBeGreaterThan(5);
      }
    });

    test("arguments that break off are those of a call that is cut, blanks in their texts and all", () => {
      const { end } = grow('<tool_call>\n{"name": "get_weather", "arguments": {"city": "New \\"Yo }', size);
      expect(end).toMatchObject({ text: "", isCut: true });
      expect(end.calls.map(({ function: given }) => given)).toEqual([
        { name: "get_weather", arguments: '{"city":"New \\"Yo }' },
      ]);
    });

    test("of several calls as many count as may be, and nothing of the others is shown", () => {
      const several = called.filter(([, , , calls]) => calls.length > 1);
      for (const [, text, before, calls] of several)
        expect(read(text, size, { most: 1 })).toEqual({ shown: before, rest: "", calls: calls.slice(0, 1) });
      expect(several.length).toBeGreaterThan(2);
    });

    test("what only looks like a call is text in the end", () => {
      for (const text of [
        '{"name": "unknown", "arguments": {}}',
        '{"a": 1}',
        "[1, 2] is a list",
        "<tool_call>nothing</tool_call>",
        "```js\nlet x;\n```",
      ]) {
        const { shown, rest, calls } = read(text, size);
        expect([shown + rest, calls]).toEqual([text, []]);
      }
    });

    test("a text is shown as it comes, but for what may begin a call", () => {
      const { shown, rest } = read("1 < 2 and {x} [TOOL", size);
      expect([shown, rest]).toEqual(["1 < 2 and {x} ", "[TOOL"]);
    });
  });
}

// Files in YAML: what YAML forbids and Bun's parser lets pass is told with its place.
import { expect, test } from "bun:test";
import { readYaml } from "../../src/core/read-yaml.ts";

test.each([
  ["a: 1\nb: 2\na: 3\n", "a is there twice, in line 1 and line 3"],
  ["top:\n  a: 1\n  a: 2\n", "a is there twice, in line 2 and line 3"],
  ["- a: 1\n- a: 1\n  b: 2\n  b: 3\n", "b is there twice, in line 3 and line 4"],
  ["a: {b: 1, b: 2}\n", "b is there twice, in line 1;"],
  ['{"a":1,"a":2}\n', "a is there twice, in line 1;"],
  ["\"a b\": 1\n'a b': 2\n", "a b is there twice, in line 1 and line 2"],
  ["openai/x*: 1\r\nopenai/x*: 2\r\n", "openai/x* is there twice, in line 1 and line 2"],
  ["a:\n  - b\na:\n  - c\n", "a is there twice, in line 1 and line 3"],
])("two keys of one name in one mapping are refused: %j", (text, says) => {
  expect(() => readYaml(text)).toThrow(says);
});

test.each([
  ["a: {x: 1}\nb: {x: 1}\n", { a: { x: 1 }, b: { x: 1 } }],
  ["text: |\n  a: 1\n  a: 2\n", { text: "a: 1\na: 2\n" }],
  ['text: "a: 1, a: 2"\n', { text: "a: 1, a: 2" }],
  ["# a: 1\na: 2\n", { a: 2 }],
  ["x: &x {a: 1}\ny: *x\n", { x: { a: 1 }, y: { a: 1 } }],
  ["x: &x {a: 1, b: 2}\ny: {<<: *x, a: 3}\n", { x: { a: 1, b: 2 }, y: { a: 3, b: 2 } }],
  ["url: http://x:80/y?z=a:b\ntime: 12:30\n", { url: "http://x:80/y?z=a:b", time: "12:30" }],
  ["\ufeffa: 1\r\nb: 2\r\n", { a: 1, b: 2 }],
  ["", null],
])("everything else is read as it is written: %j", (text, value) => {
  expect(readYaml(text)).toEqual(value);
});

test("text in UTF-16 is told as that", () => {
  expect(() => readYaml(Buffer.from("port: 1\n", "utf16le").toString("utf8"))).toThrow("UTF-8");
});

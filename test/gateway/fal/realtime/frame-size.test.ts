import { expect, test } from "bun:test";
import { encode } from "@msgpack/msgpack";
import { expectFewValues } from "../../../../src/gateway/fal/realtime/frame-size.ts";
import { readFrame } from "../../../../src/gateway/fal/realtime/frames.ts";

/** With the keys of maps. */
function countOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + countOf(each), 1);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array || value instanceof Date) return 1;
  return Object.entries(value).reduce((sum, [, each]) => sum + 1 + countOf(each), 1);
}

const text = (length: number) => "x".repeat(length);
const values = [
  ...[0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 40, -1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 40)],
  ...[1.5, true, false, null, new Date(0), new Date(1e15 / 7)],
  ...[0, 31, 32, 255, 256, 65_535, 65_536].flatMap((length) => [text(length), new Uint8Array(length)]),
  ...[0, 15, 16, 65_536].map((length) => Array.from({ length }, () => "a")),
  ...[0, 15, 16, 65_536].map((length) => Object.fromEntries(Array.from({ length }, (_, at) => [`n${at}`, at]))),
];

test.each(values.map((value, at) => [at, value] as const))("all values of a message are counted: %#", (_, value) => {
  const whole = { before: value, list: [value, "after"], last: 1 };
  const frame = encode(whole);
  const count = countOf(whole);
  expect(() => expectFewValues(frame, count)).not.toThrow();
  expect(() => expectFewValues(frame, count - 1)).toThrow(`at most ${count - 1} values`);
});

test("whatever bytes come, wherever they are cut off, counting ends", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(3000));
  for (let at = 0; at < bytes.length; at++) expectFewValues(bytes.subarray(at), bytes.length);
});

test("a message of a million lists in lists is refused before it is read", () => {
  const lists = new Uint8Array(16_000_000).fill(0x9f);
  expect(() => readFrame(lists)).toThrow("The message cannot be read");
});

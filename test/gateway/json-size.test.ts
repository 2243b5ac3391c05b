import { describe, expect, test } from "bun:test";
import { createJsonScan, type JsonLimits } from "../../src/gateway/json-size.ts";
import { cpuMs } from "../support/cpu-time.ts";

const limits = { depth: 3, values: 7, colons: 2, escapes: 3 };

/** In pieces of so many bytes. */
function brokenLimit(text: string, within: JsonLimits, piece = Number.POSITIVE_INFINITY) {
  const [scan, bytes] = [createJsonScan(within), Buffer.from(text)];
  for (let at = 0; at < bytes.length; at += piece) {
    const broken = scan.feed(bytes.subarray(at, at + piece));
    if (broken) return broken;
  }
  return undefined;
}

const cases = [
  ['{"a":[{"b":1}]}', undefined],
  ['{"a":[[{"b":1}]]}', "depth"],
  ["[[],[[]],[]]", undefined],
  ["[[],[[]],[],[]]", "values"],
  ["[1,2,3,4,5,6,7]", undefined],
  ["[1,2,3,4,5,6,7,8]", "values"],
  ["[] [] [] [] [] [] []", undefined],
  ["[] [] [] [] [] [] [] []", "values"],
  ['{"a":1,"b":2}', undefined],
  ['{"a":1,"b":2,"c":3}', "colons"],
  [String.raw`["\n\"\\", "u"]`, undefined],
  [String.raw`["\n\"\\", "\u00fc"]`, "escapes"],
  [String.raw`"\n\n\n\n never closed`, "escapes"],
  ['["[[[[[,,,,,,,,::::"]', undefined],
  [String.raw`["a\"[[[[[", "\\", "b[[["]`, undefined],
  [String.raw`["\\", [[[1]]]]`, "depth"],
  ['"never closed [[[[[', undefined],
  [String.raw`"\\" [[[[`, "depth"],
  ["]]]]][[[", undefined],
  ["", undefined],
] as const;

describe("the size of a JSON text", () => {
  test.each(cases)("%s breaks %p", (text, broken) => {
    expect(brokenLimit(text, limits)).toBe(broken);
  });

  test.each(cases)("%s breaks %p, in whatever pieces it comes", (text, broken) => {
    for (let piece = 1; piece <= text.length; piece++) expect(brokenLimit(text, limits, piece)).toBe(broken);
  });

  test("the time it takes grows with the text and not with its square", () => {
    const size = 4 * 1024 * 1024;
    const roomy = { depth: size, values: size, colons: size, escapes: size };
    for (const piece of ["[", "1,", '\\"', '"x', '"\\\\"', "\\", " "]) {
      const text = `"${piece.repeat(size / piece.length)}`;
      const started = cpuMs();
      brokenLimit(text, roomy);
      brokenLimit(text.slice(1), roomy);
      // Milliseconds on an idle machine; its square would take hours.
      expect(cpuMs() - started, piece).toBeLessThan(10_000);
    }
  }, 60_000);
});

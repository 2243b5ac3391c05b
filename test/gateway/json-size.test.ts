import { describe, expect, test } from "bun:test";
import { brokenLimit } from "../../src/gateway/json-size.ts";
import { cpuMs } from "../support/cpu-time.ts";

const limits = { depth: 3, commas: 4 };

describe("the size of a JSON text", () => {
  test.each([
    ['{"a":[{"b":1}]}', undefined],
    ['{"a":[[{"b":1}]]}', "depth"],
    ["[[],[[]],[]]", undefined],
    ["[1,2,3,4,5]", undefined],
    ["[1,2,3,4,5,6]", "commas"],
    ['["[[[[[,,,,,,,,"]', undefined],
    [String.raw`["a\"[[[[[", "\\", "b\\\"[[[["]`, undefined],
    [String.raw`["\\", [[[1]]]]`, "depth"],
    ['"never closed [[[[[', undefined],
    ["]]]]][[[", undefined],
    ["", undefined],
  ] as const)("%s breaks %p", (text, broken) => {
    expect(brokenLimit(text, limits)).toBe(broken);
  });

  test("the time it takes grows with the text and not with its square", () => {
    const size = 4 * 1024 * 1024;
    const roomy = { depth: size, commas: size };
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

import { expect, test } from "bun:test";
import { parseWeights } from "../../../src/engine/text/weighted-text.ts";
import { cpuMs } from "../../support/cpu-time.ts";

/** Prompt -> parts, as AUTOMATIC1111's parse_prompt_attention gives them. */
const cases: [string, [string, number][]][] = [
  ["normal text", [["normal text", 1]]],
  [
    "an (important) word",
    [
      ["an ", 1],
      ["important", 1.1],
      [" word", 1],
    ],
  ],
  ["(unbalanced", [["unbalanced", 1.1]]],
  ["\\(literal\\]", [["(literal]", 1]]],
  ["(unnecessary)(parens)", [["unnecessaryparens", 1.1]]],
  [
    "a (house:1.5), b",
    [
      ["a ", 1],
      ["house", 1.5],
      [", b", 1],
    ],
  ],
  ["time 10:30) there", [["time 10:30) there", 1]]],
  ["(a:0.5", [["a:0.5", 1.1]]],
  [
    "[less] (none:0)",
    [
      ["less", 1 / 1.1],
      [" ", 1],
      ["none", 0],
    ],
  ],
  [
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
    [
      ["a ", 1],
      ["house", 1.573],
      [" ", 1.1],
      ["on", 1],
      [" a ", 1.1],
      ["hill", 0.55],
      [", sun, ", 1.1],
      ["sky", 1.4641],
      [".", 1.1],
    ],
  ],
  ["", []],
];

test.each(cases)("%p is weighted as the web UI does", (prompt, wanted) => {
  const parts = parseWeights(prompt);
  expect(parts.map(({ text }) => text)).toEqual(wanted.map(([text]) => text));
  for (const [at, { weight }] of parts.entries()) expect(weight).toBeCloseTo(wanted[at]?.[1] ?? Number.NaN, 6);
});

test("a long prompt full of brackets is read in no time", () => {
  const started = cpuMs();
  expect(parseWeights("(".repeat(10_000) + "a".repeat(10_000))).toHaveLength(1);
  expect(cpuMs() - started).toBeLessThan(2000);
});

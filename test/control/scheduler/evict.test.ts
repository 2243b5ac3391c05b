// Whom to stop: least recently used, enough, and not more.
import { expect, test } from "bun:test";
import { chooseEvictions } from "../../../src/control/scheduler/evict.ts";
import { bytes, instant } from "../../../src/core/units.ts";

const runner = (name: string, memory: number, lastUsedAt: number) => ({
  name,
  memory: bytes(memory),
  lastUsedAt: instant(lastUsedAt),
});
const a = runner("a", 10, 1);
const b = runner("b", 20, 2);
const c = runner("c", 30, 3);

const cases: [string, number, ReturnType<typeof runner>[], string[]][] = [
  ["nothing is missing", 0, [a, b], []],
  ["the oldest is enough", 10, [c, b, a], ["a"]],
  ["the two oldest are needed", 25, [a, b, c], ["a", "b"]],
  ["all are needed", 60, [a, b, c], ["a", "b", "c"]],
  ["all would not be enough", 61, [a, b, c], []],
  ["there is nobody", 1, [], []],
  ["a large one makes the small ones before it needless", 30, [a, c], ["c"]],
];
test.each(cases)("%s", (_, missing, candidates, chosen) => {
  expect(chooseEvictions(bytes(missing), candidates).map(({ name }) => name)).toEqual(chosen);
});

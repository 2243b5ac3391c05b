// Whom to stop: least recently used, enough, and not more.
import { expect, test } from "bun:test";
import { chooseEvictions } from "../../../src/control/scheduler/evict.ts";
import { bytes, instant } from "../../../src/core/units.ts";

const runner = (name: string, memory: number, lastUsedAt: number, worth = 0) => ({
  name,
  worth,
  memory: bytes(memory),
  lastUsedAt: instant(lastUsedAt),
});
const a = runner("a", 10, 1);
const b = runner("b", 20, 2);
const c = runner("c", 30, 3);

const cases: [string, number, ReturnType<typeof runner>[], string[] | undefined][] = [
  ["nothing is missing", 0, [a, b], []],
  ["the oldest is enough", 10, [c, b, a], ["a"]],
  ["the two oldest are needed", 25, [a, b, c], ["a", "b"]],
  ["all are needed", 60, [a, b, c], ["a", "b", "c"]],
  ["all would not be enough", 61, [a, b, c], undefined],
  ["there is nobody", 1, [], undefined],
  ["a large one makes the small ones before it needless", 30, [a, c], ["c"]],
  [
    "what is worth least goes, however recently it was used",
    10,
    [runner("old", 10, 1, 5), runner("new", 10, 9, 1)],
    ["new"],
  ],
  ["worth counts by the byte", 10, [runner("small", 10, 1, 5), runner("large", 40, 1, 8)], ["small"]],
  [
    "one that is enough alone goes if that loses less",
    20,
    [runner("x", 10, 1, 2), runner("y", 10, 1, 2), runner("z", 15, 1, 9), runner("w", 20, 1, 4.5)],
    ["x", "y"],
  ],
  [
    "even if its bytes are dearer",
    20,
    [runner("x", 12, 1, 2), runner("y", 12, 1, 2.5), runner("w", 20, 1, 4.4)],
    ["w"],
  ],
  [
    "of those that are enough alone the one that is worth least goes",
    20,
    [runner("x", 12, 1, 2), runner("y", 12, 1, 2.5), runner("w", 20, 1, 4.4), runner("v", 20, 9, 4.2)],
    ["v"],
  ],
  [
    "and of those worth the same the least recently used",
    20,
    [runner("x", 12, 1, 2), runner("y", 12, 1, 2.5), runner("w", 20, 9, 4.4), runner("v", 20, 1, 4.4)],
    ["v"],
  ],
  [
    "several go by their worth for each byte, however recently they were used",
    45,
    [runner("x", 10, 1, 5), runner("y", 40, 2, 8), runner("z", 10, 3, 1)],
    ["z", "y"],
  ],
  [
    "of those chosen the most valuable is spared",
    30,
    [runner("x", 10, 1, 0), runner("y", 30, 1, 1), runner("z", 1, 1, 9)],
    ["y"],
  ],
];
test.each(cases)("%s", (_, missing, candidates, chosen) => {
  const names = chooseEvictions(bytes(missing), candidates)?.chosen.map(({ name }) => name);
  expect(names).toEqual(chosen);
});

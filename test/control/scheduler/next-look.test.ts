// When to look again although nothing happens.
import { expect, test } from "bun:test";
import { earliest, nextLook } from "../../../src/control/scheduler/next-look.ts";
import { instant } from "../../../src/core/units.ts";
import { factsOf, NOW, type World } from "./world.ts";

const cases: [string, World, number | undefined, number | undefined][] = [
  ["never when nothing waits", { runners: { A: { idle: 5 } } }, undefined, undefined],
  ["at the earliest deadline", { jobs: { "A#1": {} } }, 700, 700],
  ["when a back-off ends", { jobs: { "A#1": {} }, backOffs: { A: { for: 300 } } }, 700, 300],
  [
    "not for the back-off of a model without jobs",
    { jobs: { "A#1": {} }, backOffs: { B: { for: 300 } } },
    undefined,
    10_000,
  ],
  ["when a job's patience ends", { jobs: { "A#1": { age: 4_000 } } }, undefined, 6_000],
  [
    "when a loaded model's tenure ends",
    { jobs: { "A#1": { age: 60_000 } }, runners: { B: { readyFor: 9_000 } } },
    undefined,
    1_000,
  ],
  ["when a runner has been idle long enough", { runners: { A: { idle: 200 } }, idleUnload: 500 }, undefined, 300],
  ["not for a busy runner", { runners: { A: { state: "busy", idle: 200 } }, idleUnload: 500 }, undefined, undefined],
  [
    "when a batch has been open long enough",
    { jobs: { "A#1": { age: 4, batch: "x" } }, batchWindow: 10 },
    undefined,
    6,
  ],
  ["not for a job that runs with no other", { jobs: { "A#1": { age: 4 } }, batchWindow: 10 }, undefined, 9_996],
  [
    "when a model has been in line for too long",
    { jobs: { "A#1": {} }, models: { A: { inLineSince: instant(NOW - 899_000) } } },
    undefined,
    1_000,
  ],
  [
    "when a model that is loaded ahead may be tried again",
    { ahead: ["A"], backOffs: { A: { for: 300 } } },
    undefined,
    300,
  ],
  ["not for what has come to be already", { jobs: { "A#1": { age: 10_000 } } }, 0, undefined],
  ["never in the past", { jobs: { "A#1": { age: 60_000 } }, runners: { A: { state: "busy" } } }, -5, undefined],
];
test.each(cases)("%s", (_, world, deadlineIn, lookIn) => {
  const deadline = deadlineIn === undefined ? undefined : instant(NOW + deadlineIn);
  const look = nextLook(factsOf(world), deadline);
  expect(look).toBe(lookIn === undefined ? undefined : instant(NOW + lookIn));
});

test("of moments that may be none the earliest counts", () => {
  expect(earliest(undefined, instant(5), instant(3))).toBe(instant(3));
  expect(earliest(undefined)).toBeUndefined();
});

// Models get other weights while they serve: which runner goes when, case by case.
import { expect, test } from "bun:test";
import { decide } from "../../../src/control/scheduler/decide.ts";
import { factsOf, inWords, type World } from "./world.ts";

const old = { runners: ["A"] };
const other = { runners: ["A"], areOthers: true as const };
// The second runner of the model: as the fleet names it, by its device.
const both = (state: "ready" | "starting", more: World = {}): World => ({
  runners: { A: {}, "A@cpu": { state } },
  outdated: old,
  budget: 1000,
  ...more,
});

const cases: [string, World, string[]][] = [
  ["where both fit, the new one is loaded beside the old", { runners: { A: {} }, outdated: old }, ["load A cpu"]],
  ["the old one serves on while the new one loads", { jobs: { "A#1": {} }, ...both("starting") }, ["run A#1"]],
  [
    "the old one goes once the new one is ready, which takes its jobs",
    { jobs: { "A#1": {} }, ...both("ready") },
    ["evict A", "run A#1 @cpu"],
  ],
  ["a busy old one ends its work first", both("ready", { runners: { A: { state: "busy" }, "A@cpu": {} } }), []],
  [
    "and gets no further job meanwhile, though it has places",
    {
      jobs: { "A#1": {} },
      runners: { A: { state: "busy", running: 1 }, "A@cpu": { state: "busy", running: 2 } },
      models: { A: { slots: 2 } },
      outdated: old,
      budget: 1000,
    },
    [],
  ],
  [
    "one on a device that is no longer listed goes",
    { runners: { "A@cuda:7": {} }, outdated: { runners: ["A@cuda:7"] } },
    ["evict A@cuda:7"],
  ],
  ["where not both fit, an idle old one goes first", { runners: { A: {} }, outdated: old, budget: 150 }, ["evict A"]],
  [
    "and gets no further job, so that it comes to be idle",
    { jobs: { "A#1": {} }, runners: { A: {} }, outdated: old, budget: 150 },
    ["evict A"],
  ],
  [
    "a busy one is waited for",
    { jobs: { "A#1": {} }, runners: { A: { state: "busy" } }, outdated: old, budget: 150 },
    [],
  ],
  [
    "nothing changes before the new weights are found",
    { jobs: { "A#1": {} }, runners: { A: {} }, outdated: { ...old, isFetching: true } },
    ["run A#1"],
  ],
  [
    "nor while the new one may not be tried again",
    { jobs: { "A#1": {} }, runners: { A: {} }, outdated: old, backOffs: { A: { for: 1000 } } },
    ["run A#1"],
  ],
  [
    "of another model than before, it gets no job even where the new one has still to be loaded",
    { jobs: { "A#1": {} }, runners: { A: {} }, outdated: other, budget: 1000 },
    ["load A cpu", "evict A"],
  ],
  [
    "and none where the new one's weights are being fetched",
    { jobs: { "A#1": {} }, runners: { A: {} }, outdated: { ...other, isFetching: true } },
    ["evict A"],
  ],
  [
    "a busy one ends its work while the new one loads beside it",
    { jobs: { "A#1": {} }, runners: { A: { state: "busy" } }, outdated: other, budget: 1000 },
    ["load A cpu"],
  ],
  [
    "one that is still starting goes too",
    { jobs: { "A#1": {} }, runners: { A: { state: "starting" } }, outdated: other },
    ["evict A"],
  ],
  ["other models are left alone", { jobs: { "B#1": {} }, runners: { B: {} }, outdated: old }, ["run B#1"]],
];

test.each(cases)("%s", (_, world, actions) => {
  expect(inWords(decide(factsOf(world))).sort()).toEqual([...actions].sort());
});

// The policy, case by case.
import { expect, test } from "bun:test";
import { decide } from "../../../src/control/scheduler/decide.ts";
import type { Failure } from "../../../src/core/errors.ts";
import { factsOf, inWords, type World } from "./world.ts";

const killed: Failure = { code: "runner_crashed", message: "killed", details: { signal: "SIGKILL" } };
const explained = { code: "weights_missing", message: "there is no folder" } as const;

const cases: [string, World, string[]][] = [
  ["nothing to do", {}, []],
  ["a job's model is loaded", { jobs: { "A#1": {} } }, ["load A cpu"]],
  ["a starting runner is waited for", { jobs: { "A#1": {} }, runners: { A: { state: "starting" } } }, []],
  ["a ready runner takes the job", { jobs: { "A#1": {} }, runners: { A: {} } }, ["run A#1"]],
  ["a busy runner is waited for", { jobs: { "A#1": {} }, runners: { A: { state: "busy" } } }, []],
  ["a stopping runner is waited for", { jobs: { "A#1": {} }, runners: { A: { state: "stopping" } } }, []],
  [
    "the oldest job comes first",
    { jobs: { "A#young": { age: 1 }, "A#old": { age: 9 } }, runners: { A: {} } },
    ["run A#old"],
  ],
  [
    "a low job runs after all normal ones",
    { jobs: { "A#low": { age: 99, low: true }, "A#normal": {} }, runners: { A: {} } },
    ["run A#normal"],
  ],
  ["a low job runs when no other waits", { jobs: { "A#low": { low: true } }, runners: { A: {} } }, ["run A#low"]],
  [
    "two models run side by side",
    { jobs: { "A#1": {}, "B#1": {} }, runners: { A: {}, B: {} } },
    ["run A#1", "run B#1"],
  ],
  ["two models are loaded when both fit", { jobs: { "A#1": { age: 1 }, "B#1": {} } }, ["load A cpu", "load B cpu"]],
  [
    "the longest-waiting model is loaded when one fits",
    { jobs: { "A#1": {}, "B#1": { age: 1 } }, budget: 150 },
    ["load B cpu"],
  ],
  [
    "a model fits to the last byte",
    { jobs: { "A#1": {} }, runners: { B: { state: "busy" } }, budget: 200 },
    ["load A cpu"],
  ],
  [
    "memory of a stopping runner is not free yet",
    { jobs: { "A#1": {} }, runners: { B: { state: "stopping" } }, budget: 150 },
    [],
  ],
  ["an idle runner makes room", { jobs: { "A#1": {} }, runners: { B: {} }, budget: 150 }, ["evict B"]],
  [
    "the least recently used makes room, and no more than needed",
    { jobs: { "A#1": {} }, runners: { B: { idle: 5 }, C: { idle: 9 } }, budget: 250 },
    ["evict C"],
  ],
  ["a busy runner never makes room", { jobs: { "A#1": {} }, runners: { B: { state: "busy" } }, budget: 150 }, []],
  [
    "a starting runner never makes room",
    { jobs: { "A#1": {} }, runners: { B: { state: "starting" } }, budget: 150 },
    [],
  ],
  [
    "nobody goes when it would not be enough",
    { jobs: { "A#1": {} }, sizes: { A: 200 }, runners: { B: {}, C: { state: "busy" } }, budget: 250 },
    [],
  ],
  [
    "what is stopping already counts as room to come",
    { jobs: { "A#1": {} }, sizes: { A: 150 }, runners: { B: { state: "stopping" }, C: {} }, budget: 250 },
    [],
  ],
  [
    "a runner with work of its own is not sacrificed for a young job",
    { jobs: { "A#1": { age: 9_999 }, "B#1": {} }, runners: { B: {} }, budget: 150 },
    ["run B#1"],
  ],
  [
    "after ten seconds an older job takes the memory of a model with younger work",
    { jobs: { "A#1": { age: 10_000 }, "B#1": { age: 1 } }, runners: { B: {} }, budget: 150 },
    ["evict B"],
  ],
  [
    "a busy runner gets to its end before it yields",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { state: "busy" } }, budget: 150 },
    [],
  ],
  [
    "a model with an older job of its own does not yield",
    { jobs: { "A#1": { age: 10_000 }, "B#1": { age: 20_000 } }, runners: { B: {} }, budget: 150 },
    ["run B#1"],
  ],
  [
    "a model that was just loaded does not yield yet",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { readyFor: 9_999 } }, budget: 150 },
    ["run B#1"],
  ],
  [
    "a model that took long to load stays twice as long",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { readyFor: 30_000, loadMs: 20_000 } }, budget: 150 },
    ["run B#1"],
  ],
  [
    "nobody yields when there is room anyway",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: {} }, budget: 250 },
    ["load A cpu", "run B#1"],
  ],
  ["a model in back-off is left alone", { jobs: { "A#1": {} }, backOffs: { A: { for: 100 } } }, []],
  ["a back-off that is over counts no more", { jobs: { "A#1": {} }, backOffs: { A: { for: 0 } } }, ["load A cpu"]],
  [
    "a model in back-off does not drive others out",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: {} }, budget: 150, backOffs: { A: { for: 100 } } },
    ["run B#1"],
  ],
  [
    "a model that says twice why it cannot start has its jobs refused with that reason",
    { jobs: { "A#1": {}, "A#2": {} }, backOffs: { A: { for: 100, failures: 2, reason: explained } } },
    ["refuse A#1 weights_missing", "refuse A#2 weights_missing"],
  ],
  [
    "a model that just died is tried longer",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 0, failures: 9 } } },
    ["load A cpu"],
  ],
  [
    "but not for ever",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 0, failures: 10 } } },
    ["refuse A#1 runner_crashed"],
  ],
  [
    "unless the runner lived to say that it cannot",
    {
      jobs: { "A#1": {} },
      backOffs: { A: { for: 0, failures: 2, reason: { code: "runner_crashed", message: "a bug" } } },
    },
    ["refuse A#1 runner_crashed"],
  ],
  [
    "one that was killed from outside is tried longer still",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 0, failures: 39, reason: killed } } },
    ["load A cpu"],
  ],
  [
    "a job past its deadline is refused",
    { jobs: { "A#1": { startIn: 0 } }, runners: { A: {} } },
    ["refuse A#1 start_timeout"],
  ],
  ["a job before its deadline is not", { jobs: { "A#1": { startIn: 1 } }, runners: { A: {} } }, ["run A#1"]],
  [
    "a refused job leaves its turn to the next",
    { jobs: { "A#1": { startIn: 0, age: 9 }, "A#2": {} }, runners: { A: {} } },
    ["refuse A#1 start_timeout", "run A#2"],
  ],
  [
    "a model larger than the budget is refused",
    { jobs: { "A#1": {} }, sizes: { A: 251 } },
    ["refuse A#1 insufficient_memory"],
  ],
  [
    "unless it is loaded already, larger than it was thought",
    { jobs: { "A#1": {} }, sizes: { A: 251 }, runners: { A: {} } },
    ["run A#1"],
  ],
  ["the first device is preferred", { jobs: { "A#1": {} }, gpu: 100 }, ["load A cuda:0"]],
  ["a model too large for it goes to the next", { jobs: { "A#1": {} }, gpu: 99 }, ["load A cpu"]],
  [
    "memory of one device is none of another",
    { jobs: { "A#1": {} }, gpu: 100, runners: { B: { on: "cuda:0" } } },
    ["load A cpu"],
  ],
  ["idle runners stay without a limit", { runners: { A: { idle: 1e9 } } }, []],
  [
    "an idle runner goes after the limit",
    { runners: { A: { idle: 500 }, B: { idle: 499 } }, idleUnload: 500 },
    ["evict A"],
  ],
  [
    "a runner with waiting work is not idle",
    { jobs: { "A#1": {} }, runners: { A: { idle: 9_000 } }, idleUnload: 500 },
    ["run A#1"],
  ],
];
test.each(cases)("%s", (_, world, actions) => {
  expect(inWords(decide(factsOf(world)))).toEqual(actions);
});

test("an insufficient_memory refusal says how much is needed and how much there is", () => {
  const [action] = decide(factsOf({ jobs: { "A#1": {} }, sizes: { A: 300 } }));
  expect(action).toMatchObject({
    failure: { message: expect.stringMatching(/A needs 300 MiB and models may take 250 MiB/) },
  });
});

test("the same facts in another order give the same decision", () => {
  const world: World = {
    jobs: { "A#1": { age: 3 }, "B#1": { age: 2 }, "C#1": { age: 1 } },
    runners: { C: {}, D: {} },
    budget: 300,
  };
  const facts = factsOf(world);
  const turned = { ...facts, jobs: facts.jobs.toReversed(), runners: facts.runners.toReversed() };
  expect(inWords(decide(turned)).sort()).toEqual(inWords(decide(facts)).sort());
});

test("deciding leaves the facts as they were", () => {
  const facts = factsOf({ jobs: { "A#1": {}, "B#1": {} }, runners: { B: {}, C: {} }, budget: 250 });
  const before = structuredClone({ jobs: facts.jobs, runners: facts.runners });
  decide(facts);
  expect({ jobs: facts.jobs, runners: facts.runners }).toEqual(before);
});

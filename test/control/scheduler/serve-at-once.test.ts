// The short way says what decide() says, wherever it says anything.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createWaitingJobs } from "../../../src/control/jobs/waiting.ts";
import { decide } from "../../../src/control/scheduler/decide.ts";
import { serveAtOnce } from "../../../src/control/scheduler/serve-at-once.ts";
import type { Facts } from "../../../src/control/scheduler/situation.ts";
import { asId, type KeyId } from "../../../src/core/ids.ts";
import { factsOf, inWords, type World } from "./world.ts";

function atOnce({ now, jobs, runners, models }: Facts, mayStart: () => boolean = () => true) {
  const waiting = createWaitingJobs(mayStart);
  for (const job of jobs) waiting.add({ ...job, key: asId<KeyId>("key"), since: job.createdAt });
  return serveAtOnce({ now, waiting, runners, slotsOf: (model) => models.get(model)?.slots });
}

const model = fc.constantFrom("A", "B", "C");
const runner = fc.record({
  state: fc.constantFrom("ready" as const, "ready" as const, "busy" as const, "starting" as const, "stopping" as const),
  running: fc.integer({ min: 1, max: 3 }),
});
const world: fc.Arbitrary<World> = fc
  .record({
    jobs: fc.array(
      fc.record({
        model,
        age: fc.integer({ min: 0, max: 40_000 }),
        low: fc.boolean(),
        startIn: fc.constantFrom(undefined, -1, 500),
      }),
      { maxLength: 6 },
    ),
    runners: fc.dictionary(fc.constantFrom("A", "A", "B", "C", "A@cuda:0"), runner, { maxKeys: 4 }),
    slots: fc.dictionary(model, fc.integer({ min: 1, max: 4 })),
  })
  .map(({ jobs, runners, slots }) => ({
    budget: 1_000,
    gpu: 1_000,
    jobs: Object.fromEntries(
      jobs.map(({ model, startIn, ...job }, at) => [
        `${model}#${at}`,
        { ...job, ...(startIn !== undefined && { startIn }) },
      ]),
    ),
    runners: Object.fromEntries(
      Object.entries(runners).map(([name, { state, running }]) => [
        name,
        state === "busy" ? { state, running } : { state },
      ]),
    ),
    models: Object.fromEntries(Object.entries(slots).map(([name, slots]) => [name, { slots, maxBatch: slots }])),
  }));

test("it says nothing else than decide but for further runners, in hundreds of random boxes", () => {
  const told = { crowded: 0, others: 0 };
  fc.assert(
    fc.property(world, (given) => {
      const facts = factsOf(given);
      const served = atOnce(facts);
      if (!served) return;
      if (served.actions.length > 0) told[served.isCrowded ? "crowded" : "others"]++;
      const decided = decide(facts).filter(({ type }) => !served.isCrowded || type === "run");
      expect(inWords(served.actions).toSorted()).toEqual(inWords(decided).toSorted());
    }),
    { numRuns: 20_000 },
  );
  expect(told.crowded).toBeGreaterThan(100);
  expect(told.others).toBeGreaterThan(200);
});

const served = (world: World, mayStart?: () => boolean) => {
  const told = atOnce(factsOf(world), mayStart);
  return told && inWords(told.actions);
};

test("jobs go to the runner of their model in the order of the queue", () => {
  const models = { A: { slots: 3 } };
  const jobs = { "A#1": { turn: 2 }, "A#2": { turn: 1 }, "B#1": {} };
  expect(served({ jobs, models, runners: { A: { state: "busy", running: 1 }, B: {} } })).toEqual([
    "run A#2",
    "run A#1",
    "run B#1",
  ]);
  expect(served({})).toEqual([]);
});

test("where more jobs wait than there are places, the first ones run", () => {
  const jobs = { "A#1": { turn: 1 }, "A#2": { turn: 0 } };
  expect(served({ jobs, runners: { A: {} } })).toEqual(["run A#2"]);
  expect(served({ jobs, runners: { A: { state: "busy", running: 1 } } })).toEqual([]);
});

test("it does not tell where a job is late, may not start, or has no runner or a choice of them", () => {
  expect(served({ jobs: { "A#1": {} } })).toBeUndefined();
  expect(served({ jobs: { "A#1": {} }, runners: { A: { state: "starting" } } })).toBeUndefined();
  expect(served({ jobs: { "A#1": { startIn: 0 } }, runners: { A: {} } })).toBeUndefined();
  expect(served({ jobs: { "A#1": {} }, runners: { A: {} } }, () => false)).toBeUndefined();
  expect(served({ jobs: { "A#1": {} }, gpu: 500, runners: { A: {}, "A@cuda:0": {} } })).toBeUndefined();
});

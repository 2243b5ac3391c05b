// Runner hints: who comes again is led to the runner that served it, where that runner is free.
import { expect, test } from "bun:test";
import { preferred } from "../../../src/control/scheduler/affinity.ts";
import { decide } from "../../../src/control/scheduler/decide.ts";
import { createServedHints } from "../../../src/control/scheduler/served-hints.ts";
import type { Facts } from "../../../src/control/scheduler/situation.ts";
import { asId, type RunnerId } from "../../../src/core/ids.ts";
import { factsOf } from "./world.ts";

const [one, two] = [asId<RunnerId>("one"), asId<RunnerId>("two")];

test("a hint leads to the runner that served it, as long as that one is remembered and there", () => {
  const { served, note, forget } = createServedHints();
  const runners = [{ id: one }, { id: two }];
  expect(preferred("cat", runners, served)?.id).toBe(one);
  note(two, "cat");
  expect(preferred("cat", runners, served)?.id).toBe(two);
  expect(preferred("cat", [{ id: one }], served)?.id).toBe(one);
  expect(preferred("dog", runners, served)?.id).toBe(one);
  expect(preferred(undefined, runners, served)?.id).toBe(one);
  expect(preferred("cat", [], served)).toBeUndefined();
  forget(two);
  expect(preferred("cat", runners, served)?.id).toBe(one);
});

test("of many hints the ones heard of last are remembered", () => {
  const { served, note } = createServedHints();
  for (let count = 0; count < 300; count++) note(two, `hint ${count}`);
  note(two, "hint 44");
  note(two, "hint 300");
  expect(served.get(two)?.size).toBe(256);
  expect(served.get(two)?.has("hint 44")).toBe(true);
  expect(served.get(two)?.has("hint 45")).toBe(false);
});

test("of two ready runners of a model the policy takes the one that served the job's hint", () => {
  const facts = factsOf({ jobs: { "A#1": {} }, runners: { A: {} } });
  const [first] = facts.runners;
  if (!first) throw new Error("there is a runner");
  const second = { ...first, id: asId<RunnerId>("r-second") };
  const runners = [first, second];
  const jobs = facts.jobs.map((job) => ({ ...job, hint: "cat" }));
  const chosen = (more: Partial<Facts>) =>
    decide({ ...facts, runners, jobs, ...more }).flatMap((action) => (action.type === "run" ? [action.runner] : []));
  expect(chosen({})).toEqual([first.id]);
  expect(chosen({ served: new Map([[second.id, new Set(["cat"])]]) })).toEqual([second.id]);
  expect(chosen({ served: new Map([[second.id, new Set(["dog"])]]) })).toEqual([first.id]);
});

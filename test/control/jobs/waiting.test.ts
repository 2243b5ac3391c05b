// The order of the queue, checked against sorting the whole of it each time.
import { expect, test } from "bun:test";
import { createWaitingJobs } from "../../../src/control/jobs/waiting.ts";
import type { ArrivingJob, WaitingJob } from "../../../src/control/jobs/waiting-job.ts";
import { asId, type JobId, type KeyId, type ModelId } from "../../../src/core/ids.ts";
import { instant } from "../../../src/core/units.ts";
import { cpuMs } from "../../support/cpu-time.ts";

const model = asId<ModelId>("a/b");
const job = (id: string, createdAt: number, more: Partial<ArrivingJob> = {}): ArrivingJob => ({
  id: asId<JobId>(id),
  model,
  key: asId<KeyId>("key"),
  ...(more.key === undefined && { turn: 0 }), // by age alone, where fairness between keys is not the matter
  priority: "normal",
  createdAt: instant(createdAt),
  since: instant(createdAt),
  ...more,
});
const ids = (jobs: Pick<WaitingJob, "id">[]) => jobs.map(({ id }) => String(id));

test("older jobs come first, low priority after all others, other models do not count", () => {
  const waiting = createWaitingJobs();
  waiting.add(job("low", 1, { priority: "low" }));
  waiting.add(job("second", 3));
  waiting.add(job("first", 2));
  waiting.add(job("other", 0, { model: asId<ModelId>("c/d") }));
  expect(ids(waiting.heads(model, 9))).toEqual(["first", "second", "low"]);
  expect(ids(waiting.heads(model, 2))).toEqual(["first", "second"]);
  expect(ids(waiting.heads(model, 1))).toEqual(["first"]);
  expect(ids(waiting.heads(model, 0))).toEqual([]);
  expect(waiting.position(asId("low"))).toBe(2);
  expect(waiting.position(asId("other"))).toBe(0);
  expect(waiting.count(model)).toBe(3);
  expect(waiting.size).toBe(4);
});

test("a job that came back waits where its age puts it", () => {
  const waiting = createWaitingJobs();
  for (const at of [1, 2, 3]) waiting.add(job(`${at}`, at));
  const back = waiting.remove(asId("1"));
  expect(waiting.position(asId("2"))).toBe(0);
  if (back) waiting.add({ ...back, since: instant(99) });
  expect(ids(waiting.heads(model, 3))).toEqual(["1", "2", "3"]);
});

test("how many jobs of each key wait is counted, until none does", () => {
  const waiting = createWaitingJobs();
  for (const each of [...ofKey("a", 3), ...ofKey("b", 1)]) waiting.add(each);
  const counts = () => Object.fromEntries(waiting.keys());
  expect(counts()).toEqual({ a: 3, b: 1 });
  for (const id of ["a1", "b0", "unknown"]) waiting.remove(asId(id));
  expect(counts()).toEqual({ a: 2 });
  expect([waiting.get(asId("a1")), waiting.get(asId("a0"))?.id]).toEqual([undefined, asId<JobId>("a0")]);
  expect(waiting.remove(asId("unknown"))).toBeUndefined();
  expect([waiting.position(asId("unknown")), waiting.heads(asId("no/model"), 9)]).toEqual([0, []]);
  waiting.clear();
  expect(counts()).toEqual({});
  expect([waiting.size, waiting.count(model), waiting.heads(model, 9), waiting.models()]).toEqual([0, 0, [], []]);
});

test("jobs that should have started are found by their deadline", () => {
  const waiting = createWaitingJobs();
  waiting.add(job("late", 1, { startBy: instant(50) }));
  waiting.add(job("soon", 2, { startBy: instant(20) }));
  waiting.add(job("patient", 3));
  expect(waiting.nextDeadline()).toBe(instant(20));
  expect(ids(waiting.overdue(instant(19)))).toEqual([]);
  expect(ids(waiting.overdue(instant(20)))).toEqual(["soon"]);
  expect(ids(waiting.overdue(instant(60)))).toEqual(["soon", "late"]);
  waiting.remove(asId("soon"));
  expect(waiting.nextDeadline()).toBe(instant(50));
});

test("after any adding and removing, positions are those of the sorted queue", () => {
  const waiting = createWaitingJobs();
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const model: ArrivingJob[] = [];
  for (let step = 0; step < 2000; step++) {
    if (random(3) > 0) {
      const added = job(`${step}`, random(50), { priority: random(4) === 0 ? "low" : "normal" });
      waiting.add(added);
      model.push(added);
    } else if (model.length > 0) {
      const [removed] = model.splice(random(model.length), 1);
      if (removed) waiting.remove(removed.id);
    }
    if (step % 50 === 0) expectSame(waiting, model);
  }
  expectSame(waiting, model);
});

function expectSame(waiting: ReturnType<typeof createWaitingJobs>, jobs: ArrivingJob[]) {
  const rank = ({ priority }: ArrivingJob) => (priority === "normal" ? 0 : 1);
  const sorted = jobs.toSorted((a, b) => rank(a) - rank(b) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  expect(ids(waiting.heads(model, 10_000))).toEqual(ids(sorted));
  expect(sorted.map(({ id }) => waiting.position(id))).toEqual(sorted.map((_, at) => at));
}

const ofKey = (key: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => job(`${key}${at}`, from + at, { key: asId<KeyId>(key) }));

test("keys take turns: who submits many jobs does not stand before who submits one", () => {
  const waiting = createWaitingJobs();
  for (const each of [...ofKey("a", 4), ...ofKey("b", 2, 100), ...ofKey("c", 1, 200)]) waiting.add(each);
  expect(ids(waiting.heads(model, 9))).toEqual(["a0", "b0", "c0", "a1", "b1", "a2", "a3"]);
  expect(waiting.position(asId("c0"))).toBe(2);
  expect(waiting.position(asId("a3"))).toBe(6);
});

test("a key that comes later begins at the turn that is served, and does not make up for its absence", () => {
  const waiting = createWaitingJobs();
  for (const each of ofKey("a", 6)) waiting.add(each);
  for (const id of ["a0", "a1", "a2"]) waiting.remove(asId(id));
  for (const each of ofKey("b", 3, 100)) waiting.add(each);
  expect(ids(waiting.heads(model, 9))).toEqual(["b0", "a3", "b1", "a4", "b2", "a5"]);
});

test("once nobody waits, all keys are equal again, whatever they had before", () => {
  const waiting = createWaitingJobs();
  const [busy, other] = [asId<KeyId>("busy"), asId<KeyId>("other")];
  for (const at of [1, 2, 3]) waiting.add(job(`${at}`, at, { key: busy }));
  for (const id of ["1", "2", "3"]) waiting.remove(asId(id));
  waiting.add(job("4", 4, { key: busy }));
  waiting.add(job("5", 5, { key: other }));
  expect(ids(waiting.heads(model, 9))).toEqual(["4", "5"]);
  expect(waiting.get(asId("4"))?.turn).toBe(0);
});

test("a job that was begun before is served at once, and its key pays no second turn for it", () => {
  const waiting = createWaitingJobs();
  for (const each of ofKey("a", 3)) waiting.add(each);
  waiting.remove(asId("a0"));
  waiting.add({ ...job("a0", 0, { key: asId<KeyId>("a"), isBack: true }) });
  expect(ids(waiting.heads(model, 9))).toEqual(["a0", "a1", "a2"]);
});

test("a long line of a key that may not start is passed over at once, and the order of the others stays", () => {
  const barred = asId<KeyId>("barred");
  let asked = 0;
  const waiting = createWaitingJobs(({ key }) => {
    asked++;
    return key !== barred;
  });
  const LINE = 50_000;
  for (let at = 0; at < LINE; at++)
    waiting.add(job(`barred-${String(at).padStart(5, "0")}`, at, { key: barred, turn: at }));
  for (let at = 0; at < 6; at++)
    waiting.add(job(`other-${at}`, LINE + at, { key: asId<KeyId>(`key-${at % 3}`), turn: LINE + at }));
  waiting.add(job("low", 0, { key: asId<KeyId>("key-0"), turn: 0, priority: "low" }));
  const expected = ["other-0", "other-1", "other-2", "other-3", "other-4", "other-5", "low"];
  expect(ids(waiting.heads(model, 9))).toEqual(expected);
  expect(ids(waiting.heads(model, 4))).toEqual(expected.slice(0, 4));
  expect(asked).toBe(8); // each key once in each look
  // Walking the line a thousand times would be fifty million steps.
  const begun = cpuMs();
  for (let looks = 0; looks < 1000; looks++) waiting.heads(model, 4);
  expect(cpuMs() - begun).toBeLessThan(2_000);
  waiting.remove(asId("other-0"));
  expect(ids(waiting.heads(model, 2))).toEqual(["other-1", "other-2"]);
});

test("keys that come after others have gone each have their own jobs", () => {
  const barred = asId<KeyId>("barred");
  const waiting = createWaitingJobs(({ key }) => key !== barred);
  for (const each of ofKey("barred", 100)) waiting.add(each);
  for (const each of ofKey("gone", 1, 100)) waiting.add(each);
  waiting.remove(asId("gone0"));
  for (const each of [...ofKey("a", 2, 101), ...ofKey("b", 2, 201)]) waiting.add(each);
  expect(ids(waiting.heads(model, 9))).toEqual(["a0", "b0", "a1", "b1"]);
  waiting.remove(asId("a0"));
  expect(ids(waiting.heads(model, 9))).toEqual(["b0", "a1", "b1"]);
});

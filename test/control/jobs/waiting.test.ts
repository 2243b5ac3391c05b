// The order of the queue, checked against sorting the whole of it each time.
import { expect, test } from "bun:test";
import { createWaitingJobs, type WaitingJob } from "../../../src/control/jobs/waiting.ts";
import { asId, type JobId, type ModelId } from "../../../src/core/ids.ts";
import { instant } from "../../../src/core/units.ts";

const model = asId<ModelId>("a/b");
const job = (id: string, createdAt: number, more: Partial<WaitingJob> = {}): WaitingJob => ({
  id: asId<JobId>(id),
  model,
  priority: "normal",
  createdAt: instant(createdAt),
  since: instant(createdAt),
  ...more,
});
const ids = (jobs: WaitingJob[]) => jobs.map(({ id }) => String(id));

test("older jobs come first, low priority after all others, other models do not count", () => {
  const waiting = createWaitingJobs();
  waiting.add(job("low", 1, { priority: "low" }));
  waiting.add(job("second", 3));
  waiting.add(job("first", 2));
  waiting.add(job("other", 0, { model: asId<ModelId>("c/d") }));
  expect(ids(waiting.heads(model, 9))).toEqual(["first", "second", "low"]);
  expect(ids(waiting.heads(model, 2))).toEqual(["first", "second"]);
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
  const model: WaitingJob[] = [];
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

function expectSame(waiting: ReturnType<typeof createWaitingJobs>, jobs: WaitingJob[]) {
  const rank = ({ priority }: WaitingJob) => (priority === "normal" ? 0 : 1);
  const sorted = jobs.toSorted((a, b) => rank(a) - rank(b) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  expect(ids(waiting.heads(model, 10_000))).toEqual(ids(sorted));
  expect(sorted.map(({ id }) => waiting.position(id))).toEqual(sorted.map((_, at) => at));
}

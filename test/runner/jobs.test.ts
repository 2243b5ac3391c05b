// Jobs in a real runner process: steps in order, failures that stay with their job, cancelling, stopping.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { echoModel, isRunning, watchFleet } from "../support/fleet-watcher.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

const steps = (count: number, stepMs = 0) => ({ prompt: "hello", steps: count, step_ms: stepMs });

test("a job's steps arrive in order, its output last, then the runner is idle and ready for more", async () => {
  await using watched = await watchFleet();
  const { runner } = await watched.start();
  const batch = watched.run(runner, [steps(3)]);
  expect(watched.fleet.runners()).toMatchObject([{ id: runner, state: "busy", batches: [batch] }]);
  const idle = await watched.next("idle");
  expect(idle.batch).toBe(batch);
  expect(idle.runMs).toBeGreaterThanOrEqual(0);
  const seen = watched.events.filter((event) => event.type === "step").map(({ step }) => step);
  expect(seen).toEqual([
    { type: "progress", at: 1, of: 3 },
    { type: "progress", at: 2, of: 3 },
    { type: "progress", at: 3, of: 3 },
    { type: "output", value: { prompt: "hello", steps: 3 }, units: { requests: 1 } },
  ]);
  expect(watched.fleet.runners()).toMatchObject([{ id: runner, state: "ready" }]);
  watched.run(runner, [steps(1)]);
  await watched.next("idle");
});

test("jobs of one batch are told apart by their index", async () => {
  await using watched = await watchFleet();
  const { runner } = await watched.start();
  watched.run(runner, [
    { ...steps(1), prompt: "first" },
    { ...steps(2), prompt: "second" },
  ]);
  await watched.next("idle");
  const outputs = watched.events.flatMap((event) =>
    event.type === "step" && event.step.type === "output" ? [{ index: event.index, value: event.step.value }] : [],
  );
  expect(outputs).toEqual([
    { index: 0, value: { prompt: "first", steps: 1 } },
    { index: 1, value: { prompt: "second", steps: 2 } },
  ]);
});

test("a runner that outgrew its model's limit ends after its batch, and that is no failure", async () => {
  await using watched = await watchFleet();
  const { runner } = await watched.start(echoModel({ execution: { memoryLimit: 1 } }));
  watched.run(runner, [steps(1)]);
  await watched.next("idle");
  const gone = await watched.next("gone");
  expect(gone.failure).toBeUndefined();
  expect(watched.fleet.backOffs().size).toBe(0);
});

test("a job that breaks the pipeline fails alone, and the runner goes on", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start();
  const broken = JSON.parse("null"); // the echo pipeline reads fields of it
  watched.run(runner, [steps(1), broken, steps(1)]);
  const { index, failure } = await watched.next("job-failed");
  expect({ index, code: failure.code }).toEqual({ index: 1, code: "internal" });
  await watched.next("idle");
  const outputs = watched.events.filter((event) => event.type === "step" && event.step.type === "output");
  expect(outputs.map((event) => ("index" in event ? event.index : -1))).toEqual([0, 2]);
  watched.run(runner, [steps(1)]);
  await watched.next("idle");
  expect(watched.fleet.runners()).toMatchObject([{ pid, state: "ready" }]);
});

test("cancelling ends a batch between two steps and keeps the runner", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start();
  const batch = watched.run(runner, [steps(1000, 20)]);
  await watched.next("step");
  watched.fleet.cancel(batch);
  const { failure } = await watched.next("job-failed");
  expect(failure.code).toBe("client_cancelled");
  await watched.next("idle");
  expect(watched.events.filter((event) => event.type === "step").length).toBeLessThan(1000);
  watched.run(runner, [steps(1)]);
  await watched.next("idle");
  expect(watched.fleet.runners()).toMatchObject([{ pid, state: "ready" }]);
});

test("an evicted runner leaves by itself, without a failure, and its process is gone", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start();
  watched.fleet.evict(runner);
  expect(watched.fleet.runners()).toMatchObject([{ id: runner, state: "stopping" }]);
  expect(await watched.next("gone")).toEqual({ type: "gone", runner, model: expect.anything() });
  expect(await isRunning(pid)).toBe(false);
  expect(watched.fleet.runners()).toEqual([]);
  expect(watched.fleet.backOffs().size).toBe(0);
});

test("no thread of a runner has a way to the network", async () => {
  await using watched = await watchFleet();
  const { pid } = await watched.start();
  const threads = readdirSync(`/proc/${pid}/task`);
  const states = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"));
  expect(states.length).toBeGreaterThan(1);
  for (const state of states) {
    expect(state).toMatch(/^Seccomp:\t2$/m);
    expect(state).toMatch(/^NoNewPrivs:\t1$/m);
  }
});

import { expect, test } from "bun:test";
import { ForecourtError } from "../../../src/core/errors.ts";
import type { Run, Task } from "../../../src/core/pipeline.ts";
import { runBatch } from "../../../src/engine/runner/batch.ts";

type AnyRun = Run<Record<string, unknown>, Record<string, unknown>>;

const output = (index: number) => ({ index, step: { type: "output" as const, value: { index }, units: {} } });

/** Runs `size` jobs whose input is their number; gives what was reported, in order. */
async function reports(run: AnyRun, size: number, stop = new AbortController()) {
  const seen: string[] = [];
  await runBatch({
    run,
    size,
    signal: stop.signal,
    task: (number) => ({ input: { number } }) as unknown as Task<Record<string, unknown>>,
    onStep: (index, step) => seen.push(`${index} ${step.type}`),
    onFailed: (index, { code }) => seen.push(`${index} ${code}`),
  });
  return seen;
}

test("a job without an output fails as an internal fault", async () => {
  expect(await reports(async function* () {}, 1)).toEqual(["0 internal"]);
});

test("a job that fails in a batch fails alone: the unfinished others run again one by one", async () => {
  const attempts: unknown[][] = [];
  const seen = await reports(async function* (tasks) {
    attempts.push(tasks.map(({ input }) => input.number));
    for (const [index, { input }] of tasks.entries()) {
      if (input.number === 1) throw new ForecourtError("invalid_input", "not that one");
      yield output(index);
    }
  }, 3);
  expect(attempts).toEqual([[0, 1, 2], [1], [2]]);
  expect(seen).toEqual(["0 output", "1 invalid_input", "2 output"]);
});

test("a lost device fails every unfinished job at once", async () => {
  let attempts = 0;
  const seen = await reports(async function* () {
    attempts++;
    yield output(1);
    throw new ForecourtError("device_lost", "it fell off the bus");
  }, 3);
  expect(attempts).toBe(1);
  expect(seen).toEqual(["1 output", "0 device_lost", "2 device_lost"]);
});

test("a step of a job that is over, or of none, is a fault of the pipeline", async () => {
  expect(
    await reports(async function* () {
      yield output(0);
      yield output(0);
    }, 1),
  ).toEqual(["0 output"]);
  expect(
    await reports(async function* () {
      yield output(7);
    }, 1),
  ).toEqual(["0 internal"]);
});

test("a timer set between two steps comes through: the event loop turns", async () => {
  const stop = new AbortController();
  const seen = await reports(
    async function* () {
      setImmediate(() => stop.abort());
      for (let at = 1; at <= 10_000; at++) yield { index: 0, step: { type: "progress", at, of: at } };
    },
    1,
    stop,
  );
  expect(seen.at(-1)).toBe("0 client_cancelled");
  expect(seen.length).toBeLessThan(10);
});

test("what a pipeline throws because it was cancelled counts as cancelled, and it may clean up", async () => {
  const stop = new AbortController();
  let isClean = false;
  const seen = await reports(
    async function* (_tasks, signal) {
      try {
        yield { index: 0, step: { type: "progress", at: 1, of: 2 } };
        stop.abort();
        signal.throwIfAborted();
      } finally {
        isClean = true;
      }
    },
    2,
    stop,
  );
  expect(seen).toEqual(["0 progress", "0 client_cancelled", "1 client_cancelled"]);
  expect(isClean).toBe(true);
});

test("a cancelled job of a batch ends alone, and nothing more is told of it", async () => {
  const seen: string[] = [];
  const cancelled = new Set<number>();
  await runBatch({
    async *run() {
      yield { index: 0, step: { type: "progress" as const, at: 1, of: 2 } };
      cancelled.add(0);
      yield { index: 1, step: { type: "progress" as const, at: 1, of: 2 } };
      yield output(0);
      yield output(1);
    },
    size: 2,
    signal: new AbortController().signal,
    cancelled,
    task: (number) => ({ input: { number } }) as unknown as Task<Record<string, unknown>>,
    onStep: (index, step) => seen.push(`${index} ${step.type}`),
    onFailed: (index, { code }) => seen.push(`${index} ${code}`),
  });
  expect(seen).toEqual(["0 progress", "1 progress", "0 client_cancelled", "1 output"]);
});

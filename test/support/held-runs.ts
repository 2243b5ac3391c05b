// Runs of a fake fleet that wait for the test: each is moved on and ended by hand; until asked to hold, they echo.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../src/core/errors.ts";
import type { Step } from "../../src/core/pipeline.ts";
import type { RunJob } from "../../src/engine/protocol.ts";
import { createFakeFleet, echoAnswer, type FakeFleet, type RunOrder } from "./fake-fleet.ts";

export type HeldRun = {
  job: RunJob;
  log(message: string): void;
  progress(at: number, of: number): void;
  partial(value: unknown): void;
  /** Writes an output file and returns its URL as pipelines have it. */
  save(name: string, content: string): string;
  finish(output: unknown): void;
  fail(failure: Failure): void;
};

export type HeldRuns = {
  fleet: FakeFleet;
  /** From now on every run waits. */
  hold(): void;
  /** Resolves when a held run has started; each run is given out once, in order. */
  next(): Promise<HeldRun>;
};

type Outcome = Step<unknown>[] | Failure;

export function createHeldRuns(): HeldRuns {
  let isHolding = false;
  const started: HeldRun[] = [];
  const waiting: ((run: HeldRun) => void)[] = [];
  const give = (run: HeldRun) => {
    const taker = waiting.shift();
    if (taker) taker(run);
    else started.push(run);
  };
  const fleet: FakeFleet = createFakeFleet({
    answer(job, order) {
      if (!isHolding) return echoAnswer(job, order);
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      give(heldRun({ fleet, job, order, end: resolve }));
      return promise;
    },
  });
  return {
    fleet,
    hold: () => {
      isHolding = true;
    },
    next: () => {
      const run = started.shift();
      return run ? Promise.resolve(run) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

type Held = { fleet: FakeFleet; job: RunJob; order: RunOrder; end(outcome: Outcome): void };

function heldRun({ fleet, job, order: { batch }, end }: Held): HeldRun {
  return {
    job,
    log: (message) => fleet.log(batch, message),
    progress: (at, of) => fleet.step(batch, { type: "progress", at, of }),
    partial: (value) => fleet.step(batch, { type: "partial", value }),
    save(name, content) {
      mkdirSync(job.directory, { recursive: true });
      writeFileSync(join(job.directory, name), content);
      return `forecourt-file:${name}`;
    },
    finish: (value) => end([{ type: "output", value, units: { requests: 1, images: 2 } }]),
    fail: end,
  };
}

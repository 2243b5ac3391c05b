// A fleet without processes: it answers by itself, or waits for the test to say what happens.
import type { BackOff, FleetEvent, RunnerFact } from "../../src/control/fleet/events.ts";
import type { Fleet } from "../../src/control/fleet/fleet.ts";
import type { Clock } from "../../src/core/clock.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Failure } from "../../src/core/errors.ts";
import { asId, type BatchId, type ModelId, type RunnerId } from "../../src/core/ids.ts";
import type { Step } from "../../src/core/pipeline.ts";
import type { Bytes } from "../../src/core/units.ts";
import type { RunJob } from "../../src/engine/protocol.ts";
import { dtypeOf, footprintOf } from "../../src/engine/variants.ts";

export type LoadOrder = Parameters<Fleet["load"]>[0];
export type RunOrder = Parameters<Fleet["run"]>[0];

/** What a run of one job does: its steps in order, or the failure that ends it. */
export type Answer = (job: RunJob, order: RunOrder) => Step<unknown>[] | Failure | Promise<Step<unknown>[] | Failure>;

export type FakeFleet = Fleet & {
  readonly loads: LoadOrder[];
  readonly runs: RunOrder[];
  readonly cancels: BatchId[];
  readonly evictions: RunnerId[];
  /** Folders that were to be read ahead. */
  readonly readAheads: string[];
  /** By hand: a starting runner is loaded. */
  /** `memory` is what its process takes of main memory; by default what the model file says. */
  becomeReady(runner: RunnerId, memory?: Bytes): void;
  step(batch: BatchId, step: Step<unknown>, index?: number): void;
  log(batch: BatchId, message: string): void;
  /** By hand: the batch ends, with the failure if there is one. */
  end(batch: BatchId, failure?: Failure): void;
  /** The process dies, whatever it was doing. */
  die(runner: RunnerId, failure?: Failure): void;
  rest(model: ModelId, backOff: BackOff): void;
};

export const killed: Failure = {
  code: "runner_crashed",
  message: "The runner was ended by SIGKILL.",
  details: { signal: "SIGKILL" },
};
export const faulted: Failure = {
  code: "runner_crashed",
  message: "The runner was ended by SIGSEGV.",
  details: { signal: "SIGSEGV" },
};

/** Like the pipeline `echo`, at once. */
export const echoAnswer: Answer = ({ input }) => [
  { type: "progress", at: 1, of: 1 },
  { type: "output", value: { prompt: input.prompt, steps: input.steps }, units: { requests: 1 } },
];

/** `automatic: false`: nothing happens but by hand. */
export function createFakeFleet({
  automatic = true,
  answer = echoAnswer,
  clock = systemClock,
}: {
  automatic?: boolean;
  answer?: Answer;
  clock?: Clock;
} = {}): FakeFleet {
  const runners = new Map<RunnerId, RunnerFact>();
  const forNobody = new Set<RunnerId>();
  const backOffs = new Map<ModelId, BackOff>();
  const listeners = new Set<(event: FleetEvent) => void>();
  const made = {
    loads: [] as LoadOrder[],
    runs: [] as RunOrder[],
    cancels: [] as BatchId[],
    evictions: [] as RunnerId[],
    readAheads: [] as string[],
  };

  const emit = (event: FleetEvent) => {
    for (const listener of listeners) listener(event);
  };
  const runnerOf = (batch: BatchId) => {
    const found = [...runners.values()].find((runner) => runner.batches?.includes(batch));
    if (!found) throw new Error(`no runner has the batch ${batch}`);
    return found;
  };
  const set = (runner: RunnerFact, change: Partial<RunnerFact>) => {
    const { batches: _, ...rest } = runner;
    runners.set(runner.id, { ...rest, ...change });
  };
  const fleet: FakeFleet = {
    ...made,
    runners: () => [...runners.values()],
    backOffs: () => new Map(backOffs),
    forgive: (model) => void backOffs.delete(model),
    load(order) {
      made.loads.push(order);
      if (order.isReload) forNobody.add(order.runner);
      const { runner: id, model, device } = order;
      const memory = footprintOf(model);
      const dtype = dtypeOf(model);
      runners.set(id, {
        id,
        model: asId<ModelId>(model.id),
        device: device.id,
        ...(dtype !== undefined && { dtype }),
        state: "starting",
        memory,
        lastUsedAt: clock.now(),
      });
      if (automatic) setImmediate(() => runners.has(id) && fleet.becomeReady(id));
    },
    becomeReady(id, memory) {
      const runner = runners.get(id);
      if (runner?.state !== "starting") throw new Error(`the runner ${id} is not starting`);
      set(runner, { state: "ready", ...(memory !== undefined && { memory }) });
      emit({
        type: "ready",
        runner: id,
        model: runner.model,
        memory: memory ?? runner.memory,
        loadMs: 5,
        device: String(runner.device),
        ...(forNobody.has(id) && { isReload: true as const }),
      });
    },
    run(order) {
      made.runs.push(order);
      const runner = runners.get(order.runner);
      if (runner?.state !== "ready" && runner?.state !== "busy")
        throw new Error(`the runner ${order.runner} is ${runner?.state}`);
      set(runner, { state: "busy", batches: [...(runner.batches ?? []), order.batch] });
      if (automatic) setImmediate(() => void play(order));
    },
    step: (batch, step, index = 0) => emit({ type: "step", runner: runnerOf(batch).id, batch, index, step }),
    log: (batch, message) => emit({ type: "job-log", runner: runnerOf(batch).id, batch, index: 0, message }),
    end(batch, failure) {
      const runner = runnerOf(batch);
      if (failure) emit({ type: "job-failed", runner: runner.id, batch, index: 0, failure });
      const left = runner.batches?.filter((each) => each !== batch) ?? [];
      const state = left.length > 0 ? { state: "busy" as const, batches: left } : { state: "ready" as const };
      set(runner, { ...state, lastUsedAt: clock.now() });
      emit({ type: "idle", runner: runner.id, batch, memory: runner.memory, runMs: 1 });
    },
    die(id, failure) {
      const runner = runners.get(id);
      if (!runner) throw new Error(`there is no runner ${id}`);
      runners.delete(id);
      const { model, batches } = runner;
      emit({ type: "gone", runner: id, model, ...(batches && { batches }), ...(failure && { failure }) });
    },
    cancel(batch, index) {
      made.cancels.push(batch);
      if (index !== undefined) return;
      const cancelled: Failure = { code: "client_cancelled", message: "The run was cancelled." };
      if (automatic && [...runners.values()].some((runner) => runner.batches?.includes(batch)))
        fleet.end(batch, cancelled);
    },
    readAhead(folder) {
      made.readAheads.push(folder);
      return true;
    },
    evict(id) {
      made.evictions.push(id);
      const runner = runners.get(id);
      if (!runner || runner.state === "busy") throw new Error(`the runner ${id} cannot be evicted`);
      set(runner, { state: "stopping" });
      if (automatic) setImmediate(() => runners.has(id) && fleet.die(id));
    },
    lose(device) {
      const failure: Failure = { code: "device_lost", message: `The device ${device} was lost.` };
      for (const runner of [...runners.values()]) if (runner.device === device) fleet.die(runner.id, failure);
    },
    rest: (model, backOff) => backOffs.set(model, backOff),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      for (const id of [...runners.keys()]) fleet.die(id);
    },
  };

  async function play(order: RunOrder): Promise<void> {
    if (order.jobs.length === 0) throw new Error("an empty batch");
    const isStillOn = () => runners.get(order.runner)?.batches?.includes(order.batch) === true;
    for (const [index, job] of order.jobs.entries()) {
      const result = await answer(job, order);
      if (!isStillOn()) return;
      if (Array.isArray(result)) {
        for (const step of result) if (isStillOn()) fleet.step(order.batch, step, index);
      } else {
        emit({ type: "job-failed", runner: order.runner, batch: order.batch, index, failure: result });
      }
    }
    if (isStillOn()) fleet.end(order.batch);
  }
  return fleet;
}

// The server's side of all runners: carries out the scheduler's actions and reports what happens.
import { join } from "node:path";
import { type Clock, systemClock, systemTimers, type Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import { invariant } from "../../core/errors.ts";
import type { BatchId, ModelId, RunnerId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Bytes, bytes, type Milliseconds } from "../../core/units.ts";
import type { RunJob } from "../../engine/protocol.ts";
import { backOffAfter, isOfModel } from "./back-off.ts";
import type { BackOff, FleetEvent, RunnerFact } from "./events.ts";
import { defaultLimits, type FleetLimits } from "./limits.ts";
import { FleetRunner, type RunnerOrder } from "./runner.ts";
import { createSpares } from "./spares.ts";
import { runnerCommand } from "./spawn.ts";

export type Fleet = {
  runners(): RunnerFact[];
  backOffs(): Map<ModelId, BackOff>;
  /** The model is another now: what went wrong with it before no longer counts. */
  forgive(model: ModelId): void;
  /** Starts a process; `ready` or `gone` follows. */
  load(order: RunnerOrder): void;
  /** The runner must be `ready`, or `busy` with batches that others may join. The watchdog kills it when silent or over `timeout`. */
  run(order: { runner: RunnerId; batch: BatchId; jobs: RunJob[]; timeout: Milliseconds }): void;
  /**
   * Ends the batch between two steps, or of a batch of several only the job at `index`. A runner that does not end a
   * batch within a grace period is killed.
   */
  cancel(batch: BatchId, index?: number): void;
  /** Stops an idle or starting runner and frees its memory; `gone` follows. */
  evict(runner: RunnerId): void;
  /** Ends every runner on a device that is lost; their work fails with `device_lost`, which is no fault of the model. */
  lose(device: Device["id"]): void;
  subscribe(listener: (event: FleetEvent) => void): () => void;
  /** Begins to read a model's weights into the page cache, if there is a process at hand to do it. */
  readAhead(folder: string): boolean;
  /** Ends every runner; resolves when no child process is left. */
  stop(): Promise<void>;
};

export type FleetOptions = {
  /** Where runners unpack their native libraries: `<data>/runtime`. */
  runtime: string;
  /** Folder of CUDA's libraries, where they are installed. */
  libraries?: string | undefined;
  /** Threads of a runner on the CPU; 0 is one for each core. */
  threads: number;
  /** Of what is kept below `runtime` of graphs as they were optimised. */
  keptGraphs?: Bytes;
  log: Log;
  /** Processes that are started ahead, of each of these devices so many. */
  spares?: { devices: readonly Device[]; count: number };
  limits?: Partial<FleetLimits>;
  /** What to execute as a runner; by default this program. */
  command?: readonly string[];
  clock?: Clock;
  timers?: Timers;
};

export function createFleet({
  runtime,
  libraries,
  threads,
  keptGraphs = bytes(0),
  log,
  ...options
}: FleetOptions): Fleet {
  const { clock = systemClock, timers = systemTimers, command = runnerCommand() } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const ahead = { devices: [], count: 0, ...options.spares };
  const spares = createSpares({ command, runtime, libraries, count: ahead.count, timers });
  for (const device of ahead.devices) spares.fill(device);
  const runners = new Map<RunnerId, FleetRunner>();
  const backOffs = new Map<ModelId, BackOff>();
  const listeners = new Set<(event: FleetEvent) => void>();
  let isStopping = false;

  function emit(event: FleetEvent): void {
    record(event);
    for (const listener of listeners) listener(event);
  }
  function record(event: FleetEvent): void {
    // It can be loaded: what went wrong before no longer counts.
    if (event.type === "ready") backOffs.delete(event.model);
    if (event.type === "ready" || event.type === "gone") refill(event.runner);
    if (event.type !== "gone") return;
    runners.delete(event.runner);
    const { failure: reason, model } = event;
    if (reason === undefined || !isOfModel(reason)) return;
    backOffs.set(model, backOffAfter(backOffs.get(model), { now: clock.now(), reason }));
  }
  const refill = (id: RunnerId) => {
    const device = runners.get(id)?.device;
    if (device && ahead.devices.some((each) => each.id === device.id)) spares.fill(device);
  };
  const known = (id: RunnerId) => {
    const runner = runners.get(id);
    invariant(runner, `there is no runner ${id}`);
    return runner;
  };

  return {
    runners: () => [...runners.values()].map(({ fact }) => fact),
    backOffs: () => new Map(backOffs),
    forgive: (model) => void backOffs.delete(model),
    load(order) {
      invariant(!isStopping, "a stopping fleet loads nothing");
      invariant(!runners.has(order.runner), `the runner ${order.runner} exists`);
      const kept = { folder: join(runtime, "graphs"), limit: keptGraphs };
      const parts = { command, runtime, libraries, threads, kept, limits, spares, clock, timers, log, emit };
      runners.set(order.runner, new FleetRunner(order, parts));
    },
    run: ({ runner, ...batch }) => known(runner).run(batch),
    cancel(batch, index) {
      for (const runner of runners.values()) runner.cancel(batch, index);
    },
    evict(id) {
      const runner = known(id);
      invariant(runner.fact.state !== "busy", `the runner ${id} is busy`);
      runner.stop();
    },
    lose(device) {
      for (const runner of runners.values()) if (runner.fact.device === device) runner.loseDevice();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    readAhead: (folder) => spares.readAhead(folder),
    async stop() {
      isStopping = true;
      const left = [...runners.values()];
      for (const runner of left) runner.stop();
      await Promise.all([spares.stop(), ...left.map(({ gone }) => gone)]);
    },
  };
}

// One child process from start to end: starting -> ready -> busy -> stopping -> gone. What went wrong is never reused.
import { type Clock, steady, type Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import { type Failure, invariant, toFailure, unreachable } from "../../core/errors.ts";
import { asId, type BatchId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Bytes, type Instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { FromRunner, RunJob } from "../../engine/protocol.ts";
import { dtypeOf, footprintOf } from "../../engine/variants.ts";
import { environmentOf } from "./environment.ts";
import type { FleetEvent, RunnerFact } from "./events.ts";
import * as failures from "./failures.ts";
import type { FleetLimits } from "./limits.ts";
import { createRunningBatches, type RunningBatches } from "./running-batches.ts";
import type { Handlers, Spares } from "./spares.ts";
import { type Child, type ChildExit, spawnRunner } from "./spawn.ts";

export type RunnerOrder = {
  runner: RunnerId;
  model: Model;
  device: Device;
  weights: string;
  /** Inputs that are run before it counts as ready. */
  warmups?: readonly Record<string, unknown>[];
  /** Nobody waits for it. */
  isReload?: true;
};

export type RunnerParts = {
  command: readonly string[];
  /** Where the child unpacks its native libraries. */
  runtime: string;
  /** Folder of CUDA's libraries, where they are installed. */
  libraries: string | undefined;
  threads: number;
  /** Graphs as they were optimised. */
  kept: { folder: string; limit: Bytes };
  limits: FleetLimits;
  spares: Spares;
  clock: Clock;
  timers: Timers;
  log: Log;
  emit(event: FleetEvent): void;
};

export type Batch = { batch: BatchId; jobs: RunJob[]; timeout: Milliseconds };

type State =
  | { is: "starting"; callOffTimeout: () => void }
  | { is: "ready" }
  | { is: "busy" }
  /** `failure` is absent when it was asked to go. */
  | { is: "stopping"; failure?: Failure };

export class FleetRunner {
  readonly id: RunnerId;
  readonly model: ModelId;
  /** Resolves when no process is left. */
  readonly gone: Promise<void>;
  readonly #order: RunnerOrder;
  readonly #parts: RunnerParts;
  readonly #log: Log;
  readonly #leave: () => void;
  readonly #begunAt: Milliseconds;
  readonly #batches: RunningBatches;
  #child: Child | undefined;
  #state: State;
  #memory: Bytes;
  #lastUsedAt: Instant;
  #fact: RunnerFact | undefined;

  constructor(order: RunnerOrder, parts: RunnerParts) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#leave = resolve;
    this.#order = order;
    this.#parts = parts;
    this.id = order.runner;
    this.model = asId<ModelId>(order.model.id);
    this.#log = parts.log.with({ runner: order.runner, model: order.model.id });
    this.#begunAt = steady(parts.clock);
    this.#lastUsedAt = parts.clock.now();
    this.#memory = footprintOf(order.model);
    this.#batches = createRunningBatches(parts);
    const start = milliseconds(Math.min(parts.limits.start, order.model.limits.loadSeconds * 1000));
    const callOffTimeout = parts.timers.after(start, () => this.#kill(failures.startTimeout(this.model, start)));
    this.#state = { is: "starting", callOffTimeout };
    this.#spawn();
  }

  get device(): Device {
    return this.#order.device;
  }

  /** Asked for several times with every job that comes or ends, and made anew only once something of it has changed. */
  get fact(): RunnerFact {
    this.#fact ??= this.#makeFact();
    return this.#fact;
  }

  #makeFact(): RunnerFact {
    const { is: state } = this.#state;
    const batches = this.#batches.ids();
    const dtype = dtypeOf(this.#order.model);
    return {
      id: this.id,
      model: this.model,
      device: this.#order.device.id,
      ...(dtype !== undefined && { dtype }),
      state,
      memory: this.#memory,
      lastUsedAt: this.#lastUsedAt,
      ...(batches.length > 0 && { batches }),
      ...(this.#child && { pid: this.#child.pid }),
    };
  }

  #changed(): void {
    this.#fact = undefined;
  }

  /** While another one runs only if the model's pipeline lets jobs join. */
  run(order: Batch): void {
    const { batch, jobs, timeout } = order;
    const { is } = this.#state;
    invariant(is === "ready" || is === "busy", `a batch for the runner ${this.id}, which is ${is}`);
    this.#batches.begin(batch, {
      jobs: jobs.length,
      total: timeout,
      onExpired: (reason) => this.#expired(order, reason),
    });
    this.#state = { is: "busy" };
    this.#lastUsedAt = this.#parts.clock.now();
    this.#changed();
    this.#child?.send({ type: "run", batch, jobs });
  }

  cancel(batch: BatchId, index?: number): void {
    if (this.#state.is !== "busy" || !this.#batches.has(batch)) return;
    if (index === undefined) this.#batches.grace(batch, () => this.#kill(failures.cancelIgnored()));
    this.#child?.send({ type: "cancel", batch, ...(index !== undefined && { index }) });
  }

  /** One that takes too long ends alone if it can: the others that run beside it are not to blame. */
  #expired({ batch, jobs, timeout }: Batch, reason: "silence" | "total"): void {
    const isSilent = reason === "silence";
    const failure = isSilent
      ? failures.hung(this.model, this.#parts.limits.silence)
      : failures.tooLong(this.model, timeout);
    if (isSilent || this.#batches.size === 1) {
      this.#kill(failure);
      return;
    }
    for (const index of jobs.keys()) this.#parts.emit({ type: "job-failed", runner: this.id, batch, index, failure });
    this.cancel(batch);
  }

  /** Asks an idle one to end; a starting or busy one is ended at once, its batch without a failure. */
  stop(): void {
    const { timers, limits } = this.#parts;
    if (this.#state.is === "stopping") return;
    if (this.#state.is === "ready") {
      this.#enter({ is: "stopping" });
      this.#child?.send({ type: "stop" });
      void this.gone.then(timers.after(limits.stop, () => this.#child?.kill()));
    } else {
      this.#kill(undefined);
    }
  }

  /** Ends it by force: native code that waits for a lost device hears nothing. */
  loseDevice(): void {
    if (this.#state.is !== "stopping") this.#kill(failures.deviceLost(this.model, this.#order.device.id));
  }

  #spawn(): void {
    const { spares, command, libraries } = this.#parts;
    const handlers: Handlers = {
      onMessage: (message) => this.#receive(message),
      onLine: (line) => this.#log.debug("runner wrote", { line }),
      onBroken: (why) => this.#broken(why),
      onExit: (exit) => this.#exited(exit),
    };
    try {
      this.#child = spares.take(this.device, handlers);
      if (this.#child) this.#load();
      this.#child ??= spawnRunner({
        // The model's name is for people who look at the process list.
        command: [...command, this.model],
        environment: environmentOf(this.device, libraries),
        ...handlers,
      });
      this.#changed();
    } catch (error) {
      const { message } = toFailure(error);
      // Callers learn of it as of every other end: by an event, after `load` has returned.
      queueMicrotask(() => this.#report(failures.notStarted(this.model, message)));
    }
  }

  /** Throws for what a runner cannot say now: it is none any more, and nothing of it is to be waited for. */
  #receive(message: FromRunner): void {
    if (this.#state.is !== "stopping") this.#expectTimely(message);
    this.#batches.feed("batch" in message ? message.batch : undefined);
    switch (message.type) {
      case "hello":
        this.#load();
        break;
      case "ready":
        this.#ready(message);
        break;
      case "step":
        this.#forward({ ...message, runner: this.id });
        break;
      case "job-log":
        this.#forward({ ...message, runner: this.id });
        break;
      case "failed":
        this.#forward({ ...message, type: "job-failed", runner: this.id });
        break;
      case "idle":
        this.#idle(message);
        break;
      case "log":
        this.#log[message.level](message.message);
        break;
      case "tried":
        break; // refused above
      case "fatal":
        this.#kill(failures.fell(this.model, message.failure));
        break;
      default:
        unreachable(message);
    }
  }

  #expectTimely(message: FromRunner): void {
    if (message.type === "tried") throw new Error("it was not asked to try a device");
    if ((message.type === "ready" || message.type === "hello") && this.#state.is !== "starting")
      throw new Error(`${message.type} of a runner that is loaded`);
    if ("batch" in message && !this.#batches.isKnown(message.batch, "index" in message ? message.index : 0))
      throw new Error("it is about a request that this runner was not given");
  }

  #load(): void {
    const { model, device, weights, warmups = [] } = this.#order;
    const { runtime, libraries, threads, kept } = this.#parts;
    this.#child?.send({ type: "load", model, device, weights, warmups, runtime, libraries, threads, kept });
  }

  #ready({ memory, device }: Extract<FromRunner, { type: "ready" }>): void {
    if (this.#state.is !== "starting") return; // it is to stop
    this.#memory = memory;
    this.#enter({ is: "ready" });
    const loadMs = Math.round(steady(this.#parts.clock) - this.#begunAt);
    const { isReload } = this.#order;
    const loaded = { memory, loadMs, device, ...(isReload && { isReload }) };
    this.#parts.emit({ type: "ready", runner: this.id, model: this.model, ...loaded });
  }

  #forward(event: Extract<FleetEvent, { batch: BatchId; index: number }>): void {
    if (this.#batches.has(event.batch)) this.#parts.emit(event);
  }

  #idle({ batch, memory, runMs }: Extract<FromRunner, { type: "idle" }>): void {
    if (this.#state.is !== "busy" || !this.#batches.has(batch)) return;
    this.#batches.end(batch);
    if (this.#batches.size === 0) this.#enter({ is: "ready" });
    this.#memory = memory;
    this.#lastUsedAt = this.#parts.clock.now();
    this.#changed();
    this.#parts.emit({ type: "idle", runner: this.id, batch, memory, runMs });
    const { memoryLimit } = this.#order.model.execution;
    if (memoryLimit > 0 && memory > memoryLimit && this.fact.state === "ready") {
      this.#log.warn("the runner outgrew execution.memoryLimit and is ended", { memory, memoryLimit });
      this.stop();
    }
  }

  #broken(why: string): void {
    if (this.#state.is !== "stopping") this.#kill(failures.broken(this.model, why));
  }

  #kill(failure: Failure | undefined): void {
    this.#enter({ is: "stopping", ...(failure && { failure }) });
    this.#child?.kill();
  }

  /** Leaves a state with its timers called off. */
  #enter(next: State): void {
    if (this.#state.is === "starting") this.#state.callOffTimeout();
    if (next.is === "stopping") this.#batches.callOff();
    this.#state = next;
    this.#changed();
  }

  #exited(exit: ChildExit): void {
    const failure = this.#state.is === "stopping" ? this.#state.failure : failures.crashed(this.model, exit);
    this.#report(failure, exit);
  }

  #report(failure: Failure | undefined, exit?: ChildExit): void {
    if (failure) this.#log.error("runner failed", { failure, ...exit });
    const { batches } = this.fact;
    this.#enter({ is: "stopping" });
    this.#leave();
    const { id: runner, model } = this;
    this.#parts.emit({
      type: "gone",
      runner,
      model,
      ...(batches && { batches }),
      ...(failure && { failure }),
    });
  }
}

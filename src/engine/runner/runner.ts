// A runner's main loop: obeys the server's messages one at a time and answers as protocol.md says.
import { type Failure, ForecourtError, toFailure, unreachable } from "../../core/errors.ts";
import type { BatchId } from "../../core/ids.ts";
import { bytes } from "../../core/units.ts";
import type { FromRunner, Place, RunJob, ToRunner } from "../protocol.ts";
import { isLasting, runBatch } from "./batch.ts";
import { checkedStep } from "./checked-step.ts";
import type { LoadedModel, LoadOrder } from "./load.ts";
import { createTeller } from "./private-places.ts";
import { createTask } from "./task.ts";
import { warmUp } from "./warm-up.ts";

export type ExitCode = 0 | 1;

export type RunnerOptions = {
  /** Resolves when the message has left this process. */
  send(message: FromRunner): Promise<void>;
  load(order: LoadOrder, warn: (message: string) => void): Promise<LoadedModel>;
  /** Throws when the device does not compute what it should. */
  tryDevice?(place: Place): Promise<void>;
  /** Before a load; see protocol.ts. */
  prepare?(place: Place): Promise<void>;
  readAhead?(folder: string, signal: AbortSignal): Promise<void>;
};

export type RunnerLoop = {
  receive(message: ToRunner): void;
  /** After a failure that no job can be blamed for. */
  fail(thrown: unknown): void;
  /** Resolves when the process shall end. */
  ended: Promise<ExitCode>;
};

type State = { is: "empty" } | { is: "loading" } | { is: "loaded"; model: LoadedModel; batches: Map<BatchId, Running> };

type Running = { stop: AbortController; cancelled: Set<number> };

export function createRunnerLoop(options: RunnerOptions): RunnerLoop {
  const { send, load } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<ExitCode>();
  const ahead = new AbortController();
  let state: State = { is: "empty" };
  const { told, keepBack } = createTeller((message) => void send({ type: "log", level: "error", message }));

  async function begin(order: LoadOrder): Promise<void> {
    if (state.is !== "empty") throw outOfOrder("load", state);
    state = { is: "loading" };
    keepBack(order);
    ahead.abort();
    const startedAt = performance.now();
    const model = await load(order, (message) => void send({ type: "log", level: "warn", message }));
    await warmUp(model, order.warmups);
    state = { is: "loaded", model, batches: new Map() };
    const loadMs = performance.now() - startedAt;
    await send({ type: "ready", memory: residentMemory(), device: order.device.id, loadMs });
  }

  async function work(batch: BatchId, jobs: RunJob[]): Promise<void> {
    if (state.is !== "loaded") throw outOfOrder("run", state);
    const { model, batches } = state;
    if (batches.size > 0 && !model.joins) throw new Error("the server sent a batch while another one runs");
    const [stop, cancelled] = [new AbortController(), new Set<number>()];
    batches.set(batch, { stop, cancelled });
    const startedAt = performance.now();
    let lasting: Failure | undefined;
    await runBatch({
      run: model.run,
      size: jobs.length,
      signal: stop.signal,
      cancelled,
      task: (index) =>
        createTask({
          job: jobAt(jobs, index),
          log: (message) => void send({ type: "job-log", batch, index, message }),
        }),
      onStep: (index, step) => void send({ type: "step", batch, index, step: checkedStep(step, jobAt(jobs, index)) }),
      onFailed(index, failure, thrown) {
        if (failure.code === "internal") void send({ type: "log", level: "error", message: traceOf(thrown) });
        if (isLasting(thrown)) lasting = failure;
        void send({ type: "failed", batch, index, failure: told(failure) });
      },
    });
    if (lasting) throw ForecourtError.from(lasting);
    batches.delete(batch);
    await send({ type: "idle", batch, memory: residentMemory(), runMs: performance.now() - startedAt });
  }

  const fail = (thrown: unknown) => void send({ type: "fatal", failure: told(toFailure(thrown)) }).then(() => end(1));

  return {
    ended,
    fail,
    receive(message) {
      switch (message.type) {
        case "load":
          begin(message).catch(fail);
          break;
        case "try":
        case "prepare":
        case "read-ahead":
          beforehand(message, { ...options, state, signal: ahead.signal }).then((over) => over && end(0), fail);
          break;
        case "run":
          work(message.batch, message.jobs).catch(fail);
          break;
        case "cancel":
          if (state.is === "loaded") cancel(state.batches.get(message.batch), message.index);
          break;
        case "stop":
          end(0);
          break;
        default:
          unreachable(message);
      }
    },
  };
}

type Beforehand = Extract<ToRunner, { type: "try" | "prepare" | "read-ahead" }>;

/** What comes before a load, or instead of it: then the process is over, which it resolves to. */
async function beforehand(
  order: Beforehand,
  { state, signal, send, ...parts }: RunnerOptions & { state: State; signal: AbortSignal },
): Promise<boolean> {
  if (order.type === "read-ahead") await parts.readAhead?.(order.folder, signal);
  if (order.type === "prepare") await parts.prepare?.(order);
  if (order.type !== "try") return false;
  if (state.is !== "empty" || !parts.tryDevice) throw outOfOrder("try", state);
  const startedAt = performance.now();
  await parts.tryDevice(order);
  await send({ type: "tried", ms: performance.now() - startedAt });
  return true;
}

/** One that is over, or not of this runner, came too late. */
function cancel(running: Running | undefined, index: number | undefined): void {
  if (index === undefined) running?.stop.abort();
  else running?.cancelled.add(index);
}

function jobAt(jobs: RunJob[], index: number): RunJob {
  const job = jobs[index];
  if (!job) throw new RangeError(`no job ${index} in a batch of ${jobs.length}`);
  return job;
}

const residentMemory = () => bytes(process.memoryUsage.rss());
const outOfOrder = (message: string, { is }: State) =>
  new Error(`the server sent "${message}" to a runner that is ${is}`);
const traceOf = (thrown: unknown) => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));

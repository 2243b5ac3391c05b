// Runs the jobs of one batch: each ends with exactly one output or failure, whatever the pipeline does.

import type { Failure } from "../../core/errors.ts";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Run, Step, Task } from "../../core/pipeline.ts";
import { letIn } from "../pause.ts";

export type BatchOptions = {
  run: Run<Record<string, unknown>, Record<string, unknown>>;
  /** How many jobs. */
  size: number;
  /** Makes the task of a job anew, for each attempt at it. */
  task(index: number): Task<Record<string, unknown>>;
  signal: AbortSignal;
  /** Jobs that are to end while the others go on; read between two steps. */
  cancelled?: ReadonlySet<number>;
  onStep(index: number, step: Step<unknown>): void;
  /** `thrown` is what the failure was made of. */
  onFailed(index: number, failure: Failure, thrown: unknown): void;
};

/**
 * A failure of a batch of several may be the doing of one job: the unfinished ones are then run alone. Between two steps
 * the event loop turns, so that a `cancel` is read. Never throws.
 */
export async function runBatch(options: BatchOptions): Promise<void> {
  await runTogether([...Array(options.size).keys()], options);
}

async function runTogether(indices: number[], options: BatchOptions): Promise<void> {
  const { run, task, signal, cancelled = NOBODY, onStep, onFailed } = options;
  const open = new Set(indices);
  const dropCancelled = () => {
    for (const index of cancelled) if (open.delete(index)) onFailed(index, CANCELLED.toFailure(), CANCELLED);
  };
  try {
    for await (const { index: at, step } of run(indices.map(task), signal)) {
      const index = indices[at];
      if (index === undefined || (!open.has(index) && !cancelled.has(index)))
        throw new Error(`a step for the job ${at}, which is over`);
      if (open.has(index)) onStep(index, step);
      if (step.type === "output") open.delete(index);
      if (open.size === 0) break;
      await letIn();
      dropCancelled();
      if (signal.aborted || open.size === 0) break;
    }
    if (open.size > 0) throw new Error("the pipeline ended without an output");
  } catch (thrown) {
    if (indices.length > 1 && !signal.aborted && !isLasting(thrown)) {
      for (const index of open) await runTogether([index], options);
      return;
    }
    const failure = signal.aborted ? CANCELLED.toFailure() : toFailure(thrown);
    for (const index of open) onFailed(index, failure, thrown);
  }
}

const LASTING: ReadonlySet<Failure["code"]> = new Set(["device_lost", "insufficient_memory"]);

/** The process is of no further use after such a failure. */
export const isLasting = (thrown: unknown) => LASTING.has(toFailure(thrown).code);

const CANCELLED = new ForecourtError("client_cancelled", "The job was cancelled.");
const NOBODY: ReadonlySet<number> = new Set();

// What the scheduler sees and hears of runners.
import type { Device } from "../../core/device.ts";
import type { Failure } from "../../core/errors.ts";
import type { BatchId, ModelId, RunnerId } from "../../core/ids.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Bytes, Instant } from "../../core/units.ts";

export type RunnerState = "starting" | "ready" | "busy" | "stopping";

/** A runner as the scheduler sees it. */
export type RunnerFact = {
  id: RunnerId;
  model: ModelId;
  device: Device["id"];
  /** What the numbers of its graphs are, where its model tells. */
  dtype?: string;
  state: RunnerState;
  /** Measured once it is ready, the model file's estimate before. */
  memory: Bytes;
  lastUsedAt: Instant;
  /** In progress; more than one only where the pipeline lets jobs join. */
  batches?: readonly BatchId[];
  pid?: number;
};

/** A model whose runner failed to start or crashed: not to be loaded again before `until`. `failures`: in a row. */
export type BackOff = { until: Instant; failures: number; reason: Failure };

export type FleetEvent =
  /** `isReload`: it was not loaded for a job. */
  | { type: "ready"; runner: RunnerId; model: ModelId; memory: Bytes; loadMs: number; device: string; isReload?: true }
  | { type: "step"; runner: RunnerId; batch: BatchId; index: number; step: Step<unknown> }
  | { type: "job-log"; runner: RunnerId; batch: BatchId; index: number; message: string }
  | { type: "job-failed"; runner: RunnerId; batch: BatchId; index: number; failure: Failure }
  | { type: "idle"; runner: RunnerId; batch: BatchId; memory: Bytes; runMs: number }
  /** The process is gone. Jobs of `batches` that had neither output nor failure are to be retried or failed with `failure`. */
  | { type: "gone"; runner: RunnerId; model: ModelId; batches?: readonly BatchId[]; failure?: Failure };

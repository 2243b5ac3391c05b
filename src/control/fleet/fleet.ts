// The server's side of all runners: carries out the scheduler's actions and reports what happens.
import type { Device } from "../../core/device.ts";
import type { Failure } from "../../core/errors.ts";
import type { BatchId, ModelId, RunnerId } from "../../core/ids.ts";
import type { Step } from "../../core/pipeline.ts";
import type { Bytes, Instant, Milliseconds } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { RunJob } from "../../engine/protocol.ts";

export type RunnerState = "starting" | "ready" | "busy" | "stopping";

/** A runner as the scheduler sees it. */
export type RunnerFact = {
  id: RunnerId;
  model: ModelId;
  device: Device["id"];
  state: RunnerState;
  /** Measured once it is ready, the model file's estimate before. */
  memory: Bytes;
  lastUsedAt: Instant;
  batch?: BatchId;
  pid?: number;
};

/** A model whose runner failed to start or crashed: not to be loaded again before `until`. */
export type BackOff = { until: Instant; failures: number; reason: Failure };

export type FleetEvent =
  | { type: "ready"; runner: RunnerId; model: ModelId; memory: Bytes; loadMs: number; device: string }
  | { type: "step"; runner: RunnerId; batch: BatchId; index: number; step: Step<unknown> }
  | { type: "job-log"; runner: RunnerId; batch: BatchId; index: number; message: string }
  | { type: "job-failed"; runner: RunnerId; batch: BatchId; index: number; failure: Failure }
  | { type: "idle"; runner: RunnerId; batch: BatchId; memory: Bytes; runMs: number }
  /** The process is gone. Jobs of `batch` that had neither output nor failure are to be retried or failed with `failure`. */
  | { type: "gone"; runner: RunnerId; model: ModelId; batch?: BatchId; failure?: Failure };

export type Fleet = {
  runners(): RunnerFact[];
  backOffs(): Map<ModelId, BackOff>;
  /** Starts a process; `ready` or `gone` follows. */
  load(order: { runner: RunnerId; model: Model; device: Device; weights: string }): void;
  /** The runner must be `ready`. The watchdog kills it when silent or over `timeout`. */
  run(order: { runner: RunnerId; batch: BatchId; jobs: RunJob[]; timeout: Milliseconds }): void;
  /** Ends the batch between two steps; a runner that does not obey within a grace period is killed. */
  cancel(batch: BatchId): void;
  /** Stops an idle runner and frees its memory; `gone` follows. */
  evict(runner: RunnerId): void;
  subscribe(listener: (event: FleetEvent) => void): () => void;
  /** Ends every runner; resolves when no child process is left. */
  stop(): Promise<void>;
};

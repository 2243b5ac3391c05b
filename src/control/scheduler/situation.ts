// What decide() looks at and what it answers: the whole vocabulary of the policy, as plain data.
import type { Device } from "../../core/device.ts";
import type { Failure } from "../../core/errors.ts";
import type { DeviceId, JobId, ModelId, RunnerId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Bytes, Instant, Milliseconds } from "../../core/units.ts";
import type { BackOff, RunnerFact } from "../fleet/events.ts";
import type { Served } from "./affinity.ts";

export type WaitingJob = Pick<Job, "id" | "model" | "priority" | "createdAt" | "startBy"> & {
  /** Place in the order that is fair between keys (jobs/fair-turns.ts); jobs of the same turn go by age. */
  turn: number;
  /** The runner that served this before is preferred. */
  hint?: string;
  /** Jobs of one model with the same one may run together. */
  batch?: string;
};

/** `isLost`: it does not answer any more; nothing is placed there. */
export type DeviceFact = { id: DeviceId; kind: Device["kind"]; budget: Bytes; isLost?: boolean };

/** Devices set apart for some models. `concurrency`: runs at a time of all its models together; 0 = no limit. */
export type PoolFact = { name: string; devices: readonly DeviceId[]; concurrency: number };

export type ModelFact = {
  /** Memory that a loaded one is expected to take (weights + working), where nothing was measured. */
  footprint: Bytes;
  /** The same by device, of models that have other files for other kinds of device. */
  estimates?: ReadonlyMap<DeviceId, Bytes>;
  /** Measured, by device. */
  measured?: ReadonlyMap<DeviceId, Bytes>;
  maxBatch: number;
  /** How many jobs one runner takes that come at different times; 1 where all of a batch begin together. */
  slots: number;
  /** Further memory for each further job of a batch. */
  perBatchItem: Bytes;
  /** What its place in memory saves: expected uses in a second times what it takes to load it again (popularity.ts). */
  worth: number;
  /** How many runners its jobs are expected to keep busy: how often one comes, times how long it takes. Undefined before one was seen. */
  underWay?: number | undefined;
  loadMs: number;
  /** Of one job; undefined before one was seen. */
  runMs?: number;
  /** Waiting jobs, also those that the facts leave out. */
  backlog: number;
  /** Never stopped to make room. */
  isPinned: boolean;
  /** Absent: the devices that are in no pool. */
  pool?: string;
  /** Since when it has been in line for memory. */
  inLineSince?: Instant;
};

export type Facts = {
  now: Instant;
  /** In no particular order. */
  jobs: readonly WaitingJob[];
  runners: readonly RunnerFact[];
  /** When each runner came to be ready, and how long that took. */
  readySince: ReadonlyMap<RunnerId, { at: Instant; loadMs: number }>;
  /** In order of preference. */
  devices: readonly DeviceFact[];
  pools: readonly PoolFact[];
  /** Of every model that waits, is loaded or is to be. */
  models: ReadonlyMap<ModelId, ModelFact>;
  backOffs: ReadonlyMap<ModelId, BackOff>;
  /** To be loaded without a job: pinned ones, and at the start those that were popular. In this order. */
  ahead: readonly ModelId[];
  /** Models that had to make room and may be loaded again without a job, and where. Absent: not now. */
  reload?: { models: readonly ModelId[]; devices: ReadonlySet<DeviceId> };
  /** Runners that were started so and are not ready yet: any job may have their memory. */
  reloading?: ReadonlySet<RunnerId>;
  /** Runners of weights that are no longer their model's, and the models of such whose new weights are here. */
  outdated?: {
    runners: ReadonlySet<RunnerId>;
    renewable: ReadonlySet<ModelId>;
    /** Those among the runners that get no further job: their model is another now, or gone. */
    others?: ReadonlySet<RunnerId>;
  };
  /** Hints by the runner that served them. */
  served?: Served;
  /** A runner without work for this long is stopped. */
  idleUnload?: Milliseconds;
  /** How long a job may wait for others that could run with it. */
  batchWindow: Milliseconds;
  /** How long a model may be in line for memory before its jobs are refused. */
  lineLimit: Milliseconds;
};

export type Action =
  /** `isReload`: not for a job, but since the model is popular (reload.ts). */
  | { type: "load"; model: ModelId; device: DeviceId; isReload?: true }
  | { type: "evict"; runner: RunnerId; isReload?: true }
  | { type: "run"; runner: RunnerId; jobs: JobId[] }
  | { type: "refuse"; job: JobId; failure: Failure };

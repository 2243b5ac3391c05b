// The whole policy: facts in, actions out. Pure, synchronous, no log.
import type { Device } from "../../core/device.ts";
import type { Failure } from "../../core/errors.ts";
import type { DeviceId, JobId, ModelId, RunnerId } from "../../core/ids.ts";
import type { Priority } from "../../core/job.ts";
import type { Bytes, Instant } from "../../core/units.ts";
import type { BackOff, RunnerFact } from "../fleet/fleet.ts";

export type WaitingJob = { id: JobId; model: ModelId; priority: Priority; createdAt: Instant; startBy?: Instant };

export type Facts = {
  now: Instant;
  /** In no particular order. */
  jobs: WaitingJob[];
  runners: RunnerFact[];
  devices: { id: DeviceId; kind: Device["kind"]; budget: Bytes }[];
  /** Memory a loaded model is expected to take (weights + working). */
  footprint: Map<ModelId, Bytes>;
  backOffs: Map<ModelId, BackOff>;
};

export type Action =
  | { type: "load"; model: ModelId; device: DeviceId }
  | { type: "evict"; runner: RunnerId }
  | { type: "run"; runner: RunnerId; jobs: JobId[] }
  | { type: "refuse"; job: JobId; failure: Failure };

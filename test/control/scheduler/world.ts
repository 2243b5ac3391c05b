// Facts in few words, for tests of the policy: sizes in MiB, ages in milliseconds before now.
import type { RunnerFact } from "../../../src/control/fleet/fleet.ts";
import type { Action, Facts, WaitingJob } from "../../../src/control/scheduler/decide.ts";
import { type Failure, unreachable } from "../../../src/core/errors.ts";
import { asId, type DeviceId, type ModelId, type RunnerId } from "../../../src/core/ids.ts";
import { bytes, instant, MIB, milliseconds } from "../../../src/core/units.ts";

export const NOW = 1_000_000;

type JobWords = { age?: number; low?: boolean; startIn?: number };
type RunnerWords = {
  state?: RunnerFact["state"];
  size?: number;
  idle?: number;
  on?: string;
  readyFor?: number;
  loadMs?: number;
};

export type World = {
  /** `model#name`. */
  jobs?: Record<string, JobWords>;
  /** By model. */
  runners?: Record<string, RunnerWords>;
  budget?: number;
  gpu?: number;
  /** By model; 100 by default. */
  sizes?: Record<string, number>;
  backOffs?: Record<string, { for: number; failures?: number; reason?: Failure }>;
  idleUnload?: number;
};

export function factsOf({
  jobs = {},
  runners = {},
  budget = 250,
  gpu,
  sizes = {},
  backOffs = {},
  idleUnload,
}: World): Facts {
  const models = [...Object.keys(jobs).map((job) => job.split("#")[0] ?? ""), ...Object.keys(runners)];
  const sizeOf = (model: string) => bytes((sizes[model] ?? 100) * MIB);
  return {
    now: instant(NOW),
    jobs: Object.entries(jobs).map(([name, words]) => jobOf(name, words)),
    runners: Object.entries(runners).map(([model, words]) => runnerOf(model, words, sizeOf(model))),
    readySince: new Map(
      Object.entries(runners)
        .filter(([, { state }]) => state !== "starting")
        .map(([model, { readyFor = 3_600_000, loadMs = 100 }]) => [
          asId<RunnerId>(`r-${model}`),
          { at: instant(NOW - readyFor), loadMs },
        ]),
    ),
    devices: [
      ...(gpu === undefined ? [] : [{ id: asId<DeviceId>("cuda:0"), kind: "cuda" as const, budget: bytes(gpu * MIB) }]),
      { id: asId<DeviceId>("cpu"), kind: "cpu", budget: bytes(budget * MIB) },
    ],
    footprint: new Map(models.map((model) => [asId<ModelId>(model), sizeOf(model)])),
    backOffs: new Map(
      Object.entries(backOffs).map(([model, { for: left, failures = 1, reason = CRASH }]) => [
        asId<ModelId>(model),
        { until: instant(NOW + left), failures, reason },
      ]),
    ),
    ...(idleUnload !== undefined && { idleUnload: milliseconds(idleUnload) }),
  };
}

const CRASH: Failure = { code: "runner_crashed", message: "gone", details: { signal: "SIGSEGV" } };

function jobOf(name: string, { age = 0, low = false, startIn }: JobWords): WaitingJob {
  const [model = ""] = name.split("#");
  return {
    id: asId(name),
    model: asId(model),
    priority: low ? "low" : "normal",
    createdAt: instant(NOW - age),
    ...(startIn !== undefined && { startBy: instant(NOW + startIn) }),
  };
}

function runnerOf(
  model: string,
  { state = "ready", size, idle = 0, on = "cpu" }: RunnerWords,
  usual: RunnerFact["memory"],
): RunnerFact {
  return {
    id: asId(`r-${model}`),
    model: asId(model),
    device: asId(on),
    state,
    memory: size === undefined ? usual : bytes(size * MIB),
    lastUsedAt: instant(NOW - idle),
  };
}

/** Actions in few words: `load A cpu`, `run A#1`, `evict A`, `refuse A#1 start_timeout`. */
export const inWords = (actions: Action[]): string[] =>
  actions.map((action) => {
    switch (action.type) {
      case "load":
        return `load ${action.model} ${action.device}`;
      case "run":
        return `run ${action.jobs.join(" ")}`;
      case "evict":
        return `evict ${action.runner.replace("r-", "")}`;
      case "refuse":
        return `refuse ${action.job} ${action.failure.code}`;
      default:
        return unreachable(action);
    }
  });

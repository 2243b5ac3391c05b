// Facts in few words, for tests of the policy: sizes in MiB, ages in milliseconds before now.
import type { RunnerFact } from "../../../src/control/fleet/events.ts";
import type { Action, Facts, ModelFact, WaitingJob } from "../../../src/control/scheduler/situation.ts";
import { type Failure, unreachable } from "../../../src/core/errors.ts";
import { asId, type BatchId, type DeviceId, type ModelId, type RunnerId } from "../../../src/core/ids.ts";
import { bytes, instant, MIB, milliseconds } from "../../../src/core/units.ts";

export const NOW = 1_000_000;

type JobWords = { age?: number; low?: boolean; startIn?: number; turn?: number; batch?: string };
type RunnerWords = {
  state?: RunnerFact["state"];
  size?: number;
  idle?: number;
  on?: string;
  readyFor?: number;
  loadMs?: number;
  /** Batches in progress. */
  running?: number;
};

export type World = {
  /** `model#name`. */
  jobs?: Record<string, JobWords>;
  /** By model, or `model@device` where it has several. */
  runners?: Record<string, RunnerWords>;
  budget?: number;
  gpu?: number;
  /** Further GPUs, cuda:1 and on. */
  gpus?: number[];
  lost?: string[];
  pools?: Facts["pools"];
  /** What differs from the usual: nothing known, nothing pinned, no batches. */
  models?: Record<string, Partial<ModelFact>>;
  ahead?: string[];
  /** May be loaded again, on any device; runners that are being. */
  reload?: string[];
  reloading?: string[];
  batchWindow?: number;
  /** By model; 100 by default. */
  sizes?: Record<string, number>;
  backOffs?: Record<string, { for: number; failures?: number; reason?: Failure }>;
  idleUnload?: number;
  /** Runners of weights that are no longer their model's; the new ones are here unless `isFetching`. */
  outdated?: { runners: string[]; isFetching?: true /** Their model is another now, or gone. */; areOthers?: true };
};

export function factsOf(world: World): Facts {
  const { jobs = {}, runners = {}, budget = 250, gpu, gpus = [], sizes = {}, backOffs = {}, idleUnload } = world;
  const { lost = [], pools = [], models: more = {}, ahead = [], reload, reloading = [], batchWindow = 0 } = world;
  const names = [
    ...Object.keys(jobs).map((job) => job.split("#")[0] ?? ""),
    ...Object.keys(runners).map(modelOf),
    ...ahead,
    ...(reload ?? []),
  ];
  const sizeOf = (model: string) => bytes((sizes[model] ?? 100) * MIB);
  const { outdated } = world;
  const devices: Facts["devices"] = [
    ...(gpu === undefined ? [] : [gpu, ...gpus]).map((size, at) => ({
      ...{ id: asId<DeviceId>(`cuda:${at}`), kind: "cuda" as const, budget: bytes(size * MIB) },
      ...(lost.includes(`cuda:${at}`) && { isLost: true }),
    })),
    { id: asId<DeviceId>("cpu"), kind: "cpu", budget: bytes(budget * MIB) },
  ];
  return {
    now: instant(NOW),
    ...(reload && {
      reload: { models: reload.map((model) => asId<ModelId>(model)), devices: new Set(devices.map(({ id }) => id)) },
    }),
    reloading: new Set(reloading.map((name) => asId<RunnerId>(`r-${name}`))),
    ...(outdated && {
      outdated: {
        runners: new Set(outdated.runners.map((name) => asId<RunnerId>(`r-${name}`))),
        ...(outdated.areOthers && { others: new Set(outdated.runners.map((name) => asId<RunnerId>(`r-${name}`))) }),
        renewable: new Set(outdated.isFetching ? [] : outdated.runners.map((name) => asId<ModelId>(modelOf(name)))),
      },
    }),
    jobs: Object.entries(jobs).map(([name, words]) => jobOf(name, words)),
    runners: Object.entries(runners).map(([name, words]) => runnerOf(name, words, sizeOf(modelOf(name)))),
    readySince: new Map(
      Object.entries(runners)
        .filter(([, { state }]) => state !== "starting")
        .map(([name, { readyFor = 3_600_000, loadMs = 100 }]) => [
          asId<RunnerId>(`r-${name}`),
          { at: instant(NOW - readyFor), loadMs },
        ]),
    ),
    devices,
    pools,
    ahead: ahead.map((model) => asId<ModelId>(model)),
    models: new Map(
      names.map((model) => [asId<ModelId>(model), { ...USUAL, footprint: sizeOf(model), ...more[model] }]),
    ),
    backOffs: new Map(
      Object.entries(backOffs).map(([model, { for: left, failures = 1, reason = CRASH }]) => [
        asId<ModelId>(model),
        { until: instant(NOW + left), failures, reason },
      ]),
    ),
    batchWindow: milliseconds(batchWindow),
    lineLimit: milliseconds(900_000),
    ...(idleUnload !== undefined && { idleUnload: milliseconds(idleUnload) }),
  };
}

const USUAL = { maxBatch: 1, slots: 1, perBatchItem: bytes(0), worth: 0, loadMs: 1_000, backlog: 0, isPinned: false };

const modelOf = (runner: string) => runner.split("@")[0] ?? "";

const CRASH: Failure = { code: "runner_crashed", message: "gone", details: { signal: "SIGSEGV" } };

function jobOf(name: string, { age = 0, low = false, startIn, turn = 0, batch }: JobWords): WaitingJob {
  const [model = ""] = name.split("#");
  return {
    id: asId(name),
    model: asId(model),
    priority: low ? "low" : "normal",
    createdAt: instant(NOW - age),
    turn,
    ...(batch !== undefined && { batch }),
    ...(startIn !== undefined && { startBy: instant(NOW + startIn) }),
  };
}

function runnerOf(
  name: string,
  { state = "ready", size, idle = 0, on = name.split("@")[1] ?? "cpu", running = 0 }: RunnerWords,
  usual: RunnerFact["memory"],
): RunnerFact {
  return {
    id: asId(`r-${name}`),
    model: asId(modelOf(name)),
    device: asId(on),
    state,
    memory: size === undefined ? usual : bytes(size * MIB),
    lastUsedAt: instant(NOW - idle),
    ...(running > 0 && { batches: Array.from({ length: running }, (_, at) => asId<BatchId>(`b-${at}`)) }),
  };
}

/** Actions in few words: `load A cpu`, `run A#1`, `run A#1 @cpu` of a model with several, `evict A`, `refuse A#1 start_timeout`. */
export const inWords = (actions: Action[]): string[] =>
  actions.map((action) => {
    switch (action.type) {
      case "load":
        return `load ${action.model} ${action.device}`;
      case "run":
        return [`run ${action.jobs.join(" ")}`, ...action.runner.split("@").slice(1)].join(" @");
      case "evict":
        return `evict ${action.runner.replace("r-", "")}`;
      case "refuse":
        return `refuse ${action.job} ${action.failure.code}`;
      default:
        return unreachable(action);
    }
  });

// What has been decided so far: the facts with the changes of the actions made, indexed by model and by device.
import { asId, type BatchId, type DeviceId, type ModelId, type RunnerId } from "../../core/ids.ts";
import { type Bytes, bytes } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/events.ts";
import { needOn, type Places } from "./fit.ts";
import { byTurn, type Queues, rank } from "./queues.ts";
import type { Action, DeviceFact, Facts, WaitingJob } from "./situation.ts";

export type Plan = {
  facts: Facts;
  places: Places;
  actions: Action[];
  /** Waiting jobs by model that no action is about yet. */
  queues: Queues;
  /** The next job of each model; the longest waiting first. */
  heads: WaitingJob[];
  headOf: Map<ModelId, WaitingJob>;
  on: Map<DeviceId, RunnerFact[]>;
  of: Map<ModelId, RunnerFact[]>;
  /** Memory by device that nobody holds or waits for. */
  free: Map<DeviceId, number>;
  /** Memory by device of runners that are stopping. */
  stopping: Map<DeviceId, number>;
  /** Runners by device that may make room, and their memory, where that was asked for (place.ts). */
  spare: Map<DeviceId, { runners: RunnerFact[]; memory: number }>;
  /** Runners that get no further job, see fairness.ts. */
  yielding: Set<RunnerId>;
  /** Runs by pool. */
  busy: Map<string, number>;
};

type Given = { queues: Queues; places: Places };

export function beginPlan(facts: Facts, { queues, places }: Given): Plan {
  const heads = headsOf(queues);
  const plan: Plan = {
    facts,
    places,
    actions: [],
    queues,
    heads,
    headOf: new Map(heads.map((head) => [head.model, head])),
    on: new Map(),
    of: new Map(),
    free: new Map(facts.devices.map(({ id, budget }) => [id, budget])),
    stopping: new Map(),
    spare: new Map(),
    yielding: new Set(),
    busy: new Map(),
  };
  for (const runner of facts.runners) enter(plan, runner);
  return plan;
}

/** Of each queue the next job; normal ones before low ones, then the oldest first. */
function headsOf(queues: Queues): WaitingJob[] {
  const heads: WaitingJob[] = [];
  for (const queue of queues.values()) {
    let [head] = queue;
    for (const job of queue) if (head && byTurn(job, head) < 0) head = job;
    if (head) heads.push(head);
  }
  return heads.sort(
    (a, b) => rank(a.priority) - rank(b.priority) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1),
  );
}

function enter(plan: Plan, runner: RunnerFact): void {
  push(plan.on, runner.device, runner);
  push(plan.of, runner.model, runner);
  add(plan.free, runner.device, -runner.memory);
  if (runner.state === "stopping") add(plan.stopping, runner.device, runner.memory);
  countBusy(plan, runner, runningIn(runner));
}

function countBusy({ facts, busy }: Plan, { model }: RunnerFact, more: number): void {
  const pool = facts.models.get(model)?.pool;
  if (pool !== undefined) busy.set(pool, (busy.get(pool) ?? 0) + more);
}

/** Batches that it works on. */
export const runningIn = ({ state, batches }: RunnerFact) => (state === "busy" ? (batches?.length ?? 1) : 0);

/** It may be given a job now: it has no work, or its model's jobs join each other and there is a place and memory left. */
export function hasPlace(runner: RunnerFact, plan: Plan): boolean {
  const { state, model, device } = runner;
  if (plan.yielding.has(runner.id)) return false;
  if (state !== "busy") return state === "ready";
  const { slots = 1, perBatchItem = 0 } = plan.facts.models.get(model) ?? {};
  const running = runningIn(runner);
  return running < slots && running * perBatchItem <= freeOn(plan, device);
}

function push<Key>(index: Map<Key, RunnerFact[]>, key: Key, runner: RunnerFact): void {
  const known = index.get(key);
  if (known) known.push(runner);
  else index.set(key, [runner]);
}

function add(sums: Map<DeviceId, number>, device: DeviceId, more: number): void {
  sums.set(device, (sums.get(device) ?? 0) + more);
}

/** Memory that nobody holds or waits for; below zero when models turned out larger than their estimates. */
export const freeOn = ({ free }: Plan, device: DeviceId): Bytes => bytes(free.get(device) ?? 0);

/** The same, once the runners that are stopping are gone. */
export const comingFreeOn = ({ free, stopping }: Plan, device: DeviceId): Bytes =>
  bytes((free.get(device) ?? 0) + (stopping.get(device) ?? 0));

/** Keeps memory for a model whose room is being made. */
export const reserve = ({ free }: Plan, { device, need }: { device: DeviceId; need: Bytes }): void =>
  add(free, device, -need);

export function load(plan: Plan, model: ModelId, { id: device }: DeviceFact): void {
  const { facts, actions } = plan;
  actions.push({ type: "load", model, device });
  // Named by the fleet later; here it holds its memory.
  const id = asId<RunnerId>(`new ${model} ${device}`);
  const memory = needOn(model, device, facts);
  enter(plan, { id, model, device, state: "starting", memory, lastUsedAt: facts.now });
}

export function evict(plan: Plan, runner: RunnerFact): void {
  plan.actions.push({ type: "evict", runner: runner.id });
  add(plan.stopping, runner.device, runner.memory);
  become(plan, runner, "stopping");
}

/** The runner as it is then. */
export function run(plan: Plan, runner: RunnerFact, jobs: WaitingJob[]): RunnerFact {
  plan.actions.push({ type: "run", runner: runner.id, jobs: jobs.map(({ id }) => id) });
  countBusy(plan, runner, 1);
  // Named by the dispatch later; here it takes a place.
  const batches = [...(runner.batches ?? []), asId<BatchId>(`new ${jobs[0]?.id}`)];
  return become(plan, { ...runner, batches }, "busy");
}

function become(plan: Plan, runner: RunnerFact, state: RunnerFact["state"]): RunnerFact {
  const changed = { ...runner, state };
  plan.spare.delete(runner.device);
  for (const list of [plan.on.get(runner.device), plan.of.get(runner.model)]) {
    const at = list?.findIndex(({ id }) => id === runner.id) ?? -1;
    if (list && at >= 0) list[at] = changed;
  }
  return changed;
}

// The whole policy: facts in, actions out. Pure, synchronous, no log.
import type { Device } from "../../core/device.ts";
import type { Failure } from "../../core/errors.ts";
import { asId, type DeviceId, type JobId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Job, Priority } from "../../core/job.ts";
import { type Bytes, bytes, type Instant, type Milliseconds } from "../../core/units.ts";
import type { BackOff, RunnerFact } from "../fleet/fleet.ts";
import { preferred, type Served } from "./affinity.ts";
import { chooseEvictions } from "./evict.ts";
import { runnersThatYield } from "./fairness.ts";
import { fitsAlone, fitsBeside, freeOn, mayLoad, needOf } from "./fit.ts";
import { reasonToRefuse } from "./refuse.ts";

export type WaitingJob = Pick<Job, "id" | "model" | "priority" | "createdAt" | "startBy"> & { hint?: string };

export type Facts = {
  now: Instant;
  /** In no particular order. */
  jobs: WaitingJob[];
  runners: RunnerFact[];
  /** When each runner came to be ready, and how long that took. */
  readySince: ReadonlyMap<RunnerId, { at: Instant; loadMs: number }>;
  /** In order of preference. */
  devices: { id: DeviceId; kind: Device["kind"]; budget: Bytes }[];
  /** Memory a loaded model is expected to take (weights + working). */
  footprint: ReadonlyMap<ModelId, Bytes>;
  backOffs: ReadonlyMap<ModelId, BackOff>;
  /** Hints by the runner that served them. */
  served?: Served;
  /** A runner without work for this long is stopped. */
  idleUnload?: Milliseconds;
};

export type Action =
  | { type: "load"; model: ModelId; device: DeviceId }
  | { type: "evict"; runner: RunnerId }
  | { type: "run"; runner: RunnerId; jobs: JobId[] }
  | { type: "refuse"; job: JobId; failure: Failure };

/**
 * Jobs run in order of priority and age, one at a time on the one runner of their model. A model is loaded when a job
 * asks for it; to make room, idle runners go, least recently used first; busy and starting ones never.
 */
export function decide(facts: Facts): Action[] {
  const { refusals, jobs } = sortOut(facts);
  const heads = headsByModel(jobs);
  const plan: Plan = {
    runners: [...facts.runners],
    actions: [],
    heads,
    yielding: runnersThatYield(heads, facts),
    facts,
  };
  for (const head of heads) serve(head, plan);
  for (const head of heads) makeRoom(head, plan);
  unloadIdle(plan);
  return [...refusals, ...plan.actions];
}

/** What has been decided so far: `runners` are those of the facts with the changes of `actions` made. */
type Plan = {
  facts: Facts;
  runners: RunnerFact[];
  actions: Action[];
  heads: WaitingJob[];
  yielding: Set<RunnerId>;
};

function sortOut(facts: Facts): { refusals: Action[]; jobs: WaitingJob[] } {
  const refusals: Action[] = [];
  const jobs = facts.jobs.filter((job) => {
    const failure = reasonToRefuse(job, facts);
    if (failure) refusals.push({ type: "refuse", job: job.id, failure });
    return failure === undefined;
  });
  return { refusals, jobs };
}

const byAge = (a: WaitingJob, b: WaitingJob) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
const byTurn = (a: WaitingJob, b: WaitingJob) => rank(a.priority) - rank(b.priority) || byAge(a, b);
const rank = (priority: Priority) => (priority === "normal" ? 0 : 1);

/** The next job of each model; the model whose job is oldest comes first. */
function headsByModel(jobs: WaitingJob[]): WaitingJob[] {
  const heads = new Map<ModelId, WaitingJob>();
  for (const job of jobs.toSorted(byTurn)) if (!heads.has(job.model)) heads.set(job.model, job);
  return [...heads.values()].sort(byAge);
}

/** A ready runner of the model takes the job; without one, a device with room for it gets one. */
function serve({ id, model, hint }: WaitingJob, plan: Plan): void {
  const { facts, runners } = plan;
  const isFree = (runner: RunnerFact) =>
    runner.model === model && runner.state === "ready" && !plan.yielding.has(runner.id);
  const ready = preferred(hint, runners.filter(isFree), facts.served);
  if (ready) {
    plan.actions.push({ type: "run", runner: ready.id, jobs: [id] });
    become(plan, ready, "busy");
  }
  if (!mayLoad(model, { ...facts, runners })) return;
  const memory = needOf(model, facts.footprint);
  const device = facts.devices.find((each) => fitsBeside(memory, each, runners));
  if (!device) return;
  plan.actions.push({ type: "load", model, device: device.id });
  // Named by the fleet later; here it holds its memory.
  const unnamed = asId<RunnerId>(`new ${model}`);
  runners.push({ id: unnamed, model, device: device.id, state: "starting", memory, lastUsedAt: facts.now });
}

/** Stops runners for a model that has no room yet; it is loaded once their processes are gone. */
function makeRoom({ model }: WaitingJob, plan: Plan): void {
  const { facts, runners } = plan;
  if (!mayLoad(model, { ...facts, runners })) return;
  const need = needOf(model, facts.footprint);
  // What is stopping already will be free: more must not go for the same need.
  const staying = runners.filter(({ state }) => state !== "stopping");
  for (const device of facts.devices.filter((each) => fitsAlone(need, each))) {
    const missing = bytes(need - freeOn(device, staying));
    if (missing <= 0) return;
    const evictions = chooseEvictions(
      missing,
      staying.filter((runner) => runner.device === device.id && maySpare(runner, plan)),
    );
    for (const runner of evictions) evict(runner, plan);
    if (evictions.length > 0) return;
  }
}

const maySpare = (runner: RunnerFact, { heads, yielding }: Plan) =>
  runner.state === "ready" && (yielding.has(runner.id) || !isWanted(runner, heads));

const isWanted = ({ model }: RunnerFact, heads: WaitingJob[]) => heads.some((job) => job.model === model);

function unloadIdle(plan: Plan): void {
  const { idleUnload, now } = plan.facts;
  if (idleUnload === undefined) return;
  for (const runner of [...plan.runners]) {
    const isIdle = runner.state === "ready" && now - runner.lastUsedAt >= idleUnload;
    if (isIdle && !isWanted(runner, plan.heads)) evict(runner, plan);
  }
}

function evict(runner: RunnerFact, plan: Plan): void {
  plan.actions.push({ type: "evict", runner: runner.id });
  become(plan, runner, "stopping");
}

function become(plan: Plan, runner: RunnerFact, state: RunnerFact["state"]): void {
  plan.runners[plan.runners.indexOf(runner)] = { ...runner, state };
}

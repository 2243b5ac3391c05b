// The whole policy: facts in, actions out. Pure, synchronous, no log.
import type { RunnerFact } from "../fleet/events.ts";
import { preferred } from "./affinity.ts";
import { takeBatch } from "./batch.ts";
import { holdRoomForStarved } from "./fairness.ts";
import { createPlaces } from "./fit.ts";
import { loadIntoRoom, makeRoom, mayLoad } from "./place.ts";
import { beginPlan, evict, freeOn, hasPlace, type Plan, run, runningIn } from "./plan.ts";
import { byTurn, queuesOf } from "./queues.ts";
import { refuseHopeless } from "./refuse.ts";
import { reload } from "./reload.ts";
import { renew } from "./renew.ts";
import { addReplica } from "./replicas.ts";
import type { Action, Facts, WaitingJob } from "./situation.ts";

/**
 * Jobs run in order of priority, fair turn and age on the runners of their model, several together where their pipeline
 * can. A model is loaded when a job asks for it; to make room, idle runners go whose memory is worth least; busy,
 * starting and pinned ones never.
 */
export function decide(facts: Facts): Action[] {
  const places = createPlaces(facts);
  const { queues, refusals } = refuseHopeless(queuesOf(facts.jobs), facts, places);
  const plan = beginPlan(facts, { queues, places });
  holdRoomForStarved(plan);
  renew(plan);
  for (const { model } of plan.heads) serve(model, plan);
  for (const { model } of plan.heads) if (!plan.of.has(model) && mayLoad(model, plan)) place(model, plan);
  for (const { model } of plan.heads) addReplica(model, plan);
  loadAhead(plan);
  unloadIdle(plan);
  reload(plan);
  return [...refusals, ...plan.actions];
}

/** Runners of the model that have a place take its next jobs. */
function serve(model: WaitingJob["model"], plan: Plan): void {
  const ready = plan.of.get(model)?.filter((runner) => hasPlace(runner, plan)) ?? [];
  if (ready.length === 0) return;
  const first = plan.headOf.get(model);
  // The whole line need not be put in order for one job of it.
  const isAlone = ready.length === 1 && first?.batch === undefined && (plan.facts.models.get(model)?.slots ?? 1) === 1;
  const queue = isAlone && first ? [first] : (plan.queues.get(model)?.toSorted(byTurn) ?? []);
  while (hasTurn(model, plan)) {
    const [head] = queue;
    if (!head) return;
    // Of several that jobs may join, the one with least work.
    ready.sort((a, b) => runningIn(a) - runningIn(b));
    const runner = preferred(head.hint, ready, plan.facts.served);
    if (!runner) return;
    const jobs = batchFor(head, { queue, runner, plan });
    if (!jobs) return;
    const then = run(plan, runner, jobs);
    ready.splice(ready.indexOf(runner), 1, ...(hasPlace(then, plan) ? [then] : []));
    for (const job of jobs) queue.splice(queue.indexOf(job), 1);
  }
}

/** Its pool may limit how many run at a time. */
function hasTurn(model: WaitingJob["model"], { facts, busy }: Plan): boolean {
  const pool = facts.pools.find(({ name }) => name === facts.models.get(model)?.pool);
  return !pool || pool.concurrency === 0 || (busy.get(pool.name) ?? 0) < pool.concurrency;
}

type Choice = { queue: WaitingJob[]; runner: RunnerFact; plan: Plan };

/** Undefined while others may still come that could run with it. */
function batchFor(head: WaitingJob, { queue, runner, plan }: Choice): WaitingJob[] | undefined {
  const { facts } = plan;
  const model = facts.models.get(head.model);
  const device = facts.devices.find(({ id }) => id === runner.device);
  if (!model || !device) return [head];
  const jobs = takeBatch(head, queue, { ...model, free: freeOn(plan, device.id) });
  const isOpen = head.batch !== undefined && jobs.length < model.maxBatch;
  return isOpen && facts.now - head.createdAt < facts.batchWindow ? undefined : jobs;
}

function place(model: WaitingJob["model"], plan: Plan): void {
  if (!loadIntoRoom(model, plan)) makeRoom(model, plan);
}

/** Only pinned models push others out; what is merely popular waits for room. */
function loadAhead(plan: Plan): void {
  for (const model of plan.facts.ahead) {
    if (plan.of.has(model) || plan.queues.has(model) || !mayLoad(model, plan)) continue;
    if (!loadIntoRoom(model, plan) && plan.facts.models.get(model)?.isPinned) makeRoom(model, plan);
  }
}

function unloadIdle(plan: Plan): void {
  const { idleUnload, now, runners, models } = plan.facts;
  if (idleUnload === undefined) return;
  for (const { id, model } of runners) {
    const runner = plan.of.get(model)?.find((each) => each.id === id);
    const isIdle = runner?.state === "ready" && now - runner.lastUsedAt >= idleUnload;
    if (runner && isIdle && !plan.queues.has(model) && !models.get(model)?.isPinned) evict(plan, runner);
  }
}

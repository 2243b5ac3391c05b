// Why a waiting job will not run, if that is certain: late, without a device, too large, or of a model that does not start.
import type { Failure } from "../../core/errors.ts";
import type { ModelId } from "../../core/ids.ts";
import { needOn, type Places } from "./fit.ts";
import type { Queues } from "./queues.ts";
import type { Action, Facts, WaitingJob } from "./situation.ts";

/**
 * Failed starts in a row after which waiting jobs are told while the model rests: few when the runner said why, more when it just died, most
 * when something outside killed it (then a retry comes every 2 s, so jobs wait for about a minute and a half).
 */
const STARTS_BEFORE_REFUSAL = { explained: 2, unexplained: 10, killed: 40 };

type Refusal = Extract<Action, { type: "refuse" }>;

/** Takes the hopeless jobs out of the queues, each with the reason. */
export function refuseHopeless(all: Queues, facts: Facts, places: Places): { queues: Queues; refusals: Refusal[] } {
  const loaded = new Set(facts.runners.map(({ model }) => model));
  const refusals: Refusal[] = [];
  const queues: Queues = new Map();
  const isLate = ({ startBy }: WaitingJob) => startBy !== undefined && startBy <= facts.now;
  for (const [model, queue] of all) {
    const failure = loaded.has(model) ? undefined : withoutRunner(model, facts, places);
    const isHopeless = (job: WaitingJob) => failure !== undefined || isLate(job);
    const left = queue.some(isHopeless) ? queue.filter((job) => !isHopeless(job)) : queue;
    if (left.length > 0) queues.set(model, left);
    if (left === queue) continue;
    for (const job of queue) {
      const reason = isLate(job) ? LATE : failure;
      if (reason) refusals.push({ type: "refuse", job: job.id, failure: reason });
    }
  }
  return { queues, refusals };
}

const LATE: Failure = {
  code: "start_timeout",
  message: "The request did not start within the time that it asked for.",
};

function withoutRunner(model: ModelId, facts: Facts, places: Places): Failure | undefined {
  const backOff = facts.backOffs.get(model);
  // After its rest it has one more start, with the first request: what was wrong may be mended by now, without the box being started anew.
  const isResting = backOff !== undefined && backOff.until > facts.now;
  if (isResting && backOff.failures >= startsAllowed(backOff.reason)) return backOff.reason;
  const devices = places.usable(model);
  const all = places.all(model);
  if (devices.length === 0) return all.length > 0 ? deviceLost(model, all) : noDevice(model, facts);
  if (places.of(model).length > 0) return waitedTooLong(model, facts);
  // It may need more on one device than on another: what is told is of the one where least is missing.
  const nearest = devices
    .map(({ id, budget }) => ({ need: needOn(model, id, facts), budget }))
    .reduce((a, b) => (b.need - b.budget < a.need - a.budget ? b : a));
  return nearest.need <= nearest.budget ? behindPinned(model, nearest.need) : tooLarge(model, nearest);
}

function startsAllowed({ code, details }: Failure): number {
  // Without a signal or exit code it was the runner itself that gave up, with what it says.
  if (code !== "runner_crashed" || details === undefined) return STARTS_BEFORE_REFUSAL.explained;
  return details?.signal === "SIGKILL" ? STARTS_BEFORE_REFUSAL.killed : STARTS_BEFORE_REFUSAL.unexplained;
}

function waitedTooLong(model: ModelId, { models, now, lineLimit }: Facts): Failure | undefined {
  const since = models.get(model)?.inLineSince;
  if (since === undefined || now - since < lineLimit) return undefined;
  return {
    code: "insufficient_memory",
    message: `No memory came free for ${model} within ${lineLimit / 1000} s: the models that hold it are busy. Try again later, or give it a pool of its own.`,
  };
}

const tooLarge = (model: ModelId, { need, budget }: { need: number; budget: number }): Failure => ({
  code: "insufficient_memory",
  message: `${model} needs ${mib(need)} MiB and models may take ${mib(budget)} MiB here; raise memory.budget_mb if the box has more.`,
  details: { needBytes: need, budgetBytes: budget },
});

const behindPinned = (model: ModelId, need: number): Failure => ({
  code: "insufficient_memory",
  message: `${model} needs ${mib(need)} MiB, and pinned models hold too much of the memory; unpin one of them.`,
  details: { needBytes: need },
});

const deviceLost = (model: ModelId, lost: readonly { id: string }[]): Failure => ({
  code: "device_lost",
  message: `${model} has no device to run on: ${lost.map(({ id }) => id).join(", ")} stopped answering. \`forecourt doctor\` says why; usually a reboot of the box brings it back.`,
  details: { devices: lost.map(({ id }) => id) },
});

const noDevice = (model: ModelId, { models, pools, devices }: Facts): Failure => {
  const pool = pools.find(({ name }) => name === models.get(model)?.pool);
  const why = pool
    ? `its pool ${pool.name} has ${pool.devices.join(", ")}, and models run on ${devices.map(({ id }) => id).join(", ")} here`
    : "all are set apart for pools";
  return {
    code: "device_lost",
    message: `${model} has no device to run on: ${why}. Change the setting pools; \`forecourt doctor\` says more.`,
  };
};

const mib = (size: number) => Math.ceil(size / 1024 / 1024);

// Where a model without a runner goes: a device with room, else one where room costs least.
import type { ModelId } from "../../core/ids.ts";
import { type Bytes, bytes } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/events.ts";
import { chooseEvictions } from "./evict.ts";
import { needsOf } from "./fit.ts";
import { comingFreeOn, evict, freeOn, load, type Plan, reserve } from "./plan.ts";
import { worthOfLast } from "./popularity.ts";
import type { DeviceFact } from "./situation.ts";

/** May a process be started for it now? Not while one of its own ends, nor while it is to be left alone after a crash. */
export function mayLoad(model: ModelId, { facts, of }: Plan): boolean {
  const until = facts.backOffs.get(model)?.until;
  if (until !== undefined && until > facts.now) return false;
  return !of.get(model)?.some(({ state }) => state === "stopping" || state === "starting");
}

/** Devices where it fits and is not yet. */
export function candidates(model: ModelId, plan: Plan): readonly DeviceFact[] {
  const own = plan.of.get(model);
  const places = plan.places.of(model);
  return own ? places.filter(({ id }) => !own.some(({ device }) => device === id)) : places;
}

/** Loads the model where there is most room; false when there is none. */
export function loadIntoRoom(model: ModelId, plan: Plan, on = candidates(model, plan)): boolean {
  let best: DeviceFact | undefined;
  let most = -1;
  const needOf = needsOf(model, plan.facts);
  for (const device of on) {
    const left = freeOn(plan, device.id) - needOf(device.id);
    if (left > most) {
      best = device;
      most = left;
    }
  }
  if (!best) return false;
  load(plan, model, best);
  return true;
}

/** What may go: idle ones that no job waits for and that are not pinned, those that have to yield, and what loads for nobody. */
export function maySpare(runner: RunnerFact, { facts, queues, yielding }: Plan): boolean {
  const isForNobody = runner.state === "starting" && facts.reloading?.has(runner.id);
  if ((runner.state !== "ready" && !isForNobody) || facts.models.get(runner.model)?.isPinned) return false;
  return yielding.has(runner.id) || !queues.has(runner.model);
}

/** Nobody when all of it together would not be enough, which is so for most models of a crowded box. */
function allSpareOn({ id }: DeviceFact, plan: Plan, missing: Bytes): readonly RunnerFact[] {
  const spare = plan.spare.get(id) ?? findSpare(id, plan);
  return spare.memory >= missing ? spare.runners : [];
}

function findSpare(id: DeviceFact["id"], plan: Plan) {
  const runners = plan.on.get(id)?.filter((runner) => maySpare(runner, plan)) ?? [];
  const spare = { runners, memory: runners.reduce((sum, { memory }) => sum + memory, 0) };
  plan.spare.set(id, spare);
  return spare;
}

/** What is lost when it goes. */
export function withWorth(runner: RunnerFact, { facts, of }: Plan) {
  const fact = facts.models.get(runner.model);
  const staying = of.get(runner.model)?.filter(({ state }) => state !== "stopping").length ?? 0;
  return { ...runner, worth: fact ? worthOfLast(fact, Math.max(1, staying)) : 0 };
}

/** `limit`: the most that may be lost. `on` and `spareOn`: where it may go, and what may go there. */
type Terms = {
  limit?: number;
  on?: readonly DeviceFact[];
  spareOn?: (device: DeviceFact, plan: Plan, missing: Bytes) => readonly RunnerFact[];
};

/**
 * Stops runners where the least is lost, and keeps the room for this model: it is loaded once their processes are gone.
 * Does nothing when that would not be enough anywhere, or when more than `limit` would be lost.
 */
export function makeRoom(model: ModelId, plan: Plan, terms: Terms = {}): boolean {
  const { limit = Number.POSITIVE_INFINITY, on = candidates(model, plan), spareOn = allSpareOn } = terms;
  let best: { device: DeviceFact; need: Bytes; chosen: RunnerFact[]; loss: number } | undefined;
  const needOf = needsOf(model, plan.facts);
  for (const device of on) {
    const need = needOf(device.id);
    const missing = bytes(need - comingFreeOn(plan, device.id));
    const spare = missing <= 0 ? [] : spareOn(device, plan, missing);
    if (missing > 0 && spare.length === 0) continue;
    const eviction = chooseEvictions(
      missing,
      spare.map((runner) => withWorth(runner, plan)),
    );
    if (eviction && (!best || eviction.loss < best.loss)) best = { device, need, ...eviction };
    if (best?.loss === 0 && best.chosen.length === 0) break;
  }
  if (!best || best.loss > limit) return false;
  for (const runner of best.chosen) evict(plan, runner);
  reserve(plan, { device: best.device.id, need: best.need });
  return true;
}

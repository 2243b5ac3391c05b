// When a loaded model must give up its memory although it has work: so that no other model waits for ever.
import type { DeviceId } from "../../core/ids.ts";
import { type Bytes, bytes, type Instant, instant, milliseconds } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/events.ts";
import { chooseEvictions } from "./evict.ts";
import { needOn } from "./fit.ts";
import { candidates, mayLoad, maySpare, withWorth } from "./place.ts";
import { comingFreeOn, type Plan, reserve } from "./plan.ts";
import type { DeviceFact, WaitingJob } from "./situation.ts";

/**
 * A job that waits this long for memory may take it from a loaded model whose own jobs are younger; until then the
 * loaded model is served first, which saves swapping back and forth.
 */
export const PATIENCE = milliseconds(10_000);

/** A loaded model keeps its place at least this long, and at least this many times what loading it took. */
const TENURE_LOADS = 2;

export const tenureEnd = ({ at, loadMs }: { at: Instant; loadMs: number }) =>
  instant(at + Math.max(PATIENCE, TENURE_LOADS * loadMs));

/** Room is made for the longest waiting ones; more at a time would empty the whole box. */
const STARVED_FOR_EACH_DEVICE = 1;

/**
 * For each model that has waited too long, one device is chosen: runners there get no further job until it has its
 * room, and what becomes free there is kept for it.
 */
export function holdRoomForStarved(plan: Plan): void {
  const { facts, heads, of } = plan;
  const isStarved = ({ model, createdAt }: WaitingJob) =>
    facts.now - createdAt >= PATIENCE && !of.has(model) && mayLoad(model, plan);
  /** Memory by device that one of them gets without more ado: no other can count on it. */
  const promised = new Map<DeviceId, number>();
  const promise = ({ device, need }: { device: DeviceId; need: Bytes }) =>
    promised.set(device, (promised.get(device) ?? 0) + need);
  for (const head of heads.filter(isStarved).slice(0, STARVED_FOR_EACH_DEVICE * facts.devices.length)) {
    const devices = candidates(head.model, plan).map((device) =>
      outlookOn(device, { head, plan, promised: promised.get(device.id) ?? 0 }),
    );
    const roomy = devices.find(({ missing, spare }) => missing <= spare);
    if (roomy) {
      promise(roomy);
      continue;
    }
    let best: { device: DeviceId; need: Bytes; chosen: RunnerFact[]; loss: number } | undefined;
    for (const { there, ...outlook } of devices) {
      const yielding = there.filter((runner) => maySpare(runner, plan) || mayYield(runner, head, plan));
      const eviction = chooseEvictions(
        outlook.missing,
        yielding.map((runner) => withWorth(runner, plan)),
      );
      if (eviction && (!best || eviction.loss < best.loss)) best = { ...outlook, ...eviction };
    }
    if (!best) continue;
    for (const { id } of best.chosen) plan.yielding.add(id);
    if (best.chosen.some(({ state }) => state !== "ready")) reserve(plan, best);
    else promise(best);
  }
}

type Outlook = { head: WaitingJob; plan: Plan; promised: number };

function outlookOn({ id }: DeviceFact, { head, plan, promised }: Outlook) {
  const need = needOn(head.model, id, plan.facts);
  const there = plan.on.get(id) ?? [];
  const spare = there.reduce((sum, runner) => (maySpare(runner, plan) ? sum + runner.memory : sum), 0);
  return { device: id, need, there, missing: bytes(need + promised - comingFreeOn(plan, id)), spare };
}

function mayYield({ id, model, state }: RunnerFact, head: WaitingJob, plan: Plan): boolean {
  const { facts, headOf } = plan;
  if ((state !== "ready" && state !== "busy") || facts.models.get(model)?.isPinned) return false;
  const since = facts.readySince.get(id);
  const own = headOf.get(model);
  const isYounger = own === undefined || own.createdAt > head.createdAt;
  return isYounger && since !== undefined && tenureEnd(since) <= facts.now;
}

// Popular models that had to make room come back while nobody waits for memory.
import type { ModelId } from "../../core/ids.ts";
import { milliseconds } from "../../core/units.ts";
import type { RunnerFact } from "../fleet/events.ts";
import { loadIntoRoom, makeRoom, mayLoad, maySpare } from "./place.ts";
import type { Plan } from "./plan.ts";
import type { DeviceFact } from "./situation.ts";

/** What goes is worth so much less, or the two would take turns. Chosen with `bun run simulate`, as are the others. */
const MARGIN = 1.5;
/** Without a request for so long, and loaded for so long. */
const STAY = milliseconds(120_000);
/** The most popular by the byte; the others would find no room either. */
const TRIED = 8;

/** One at a time in the whole box, which may have one disk. */
export function reload(plan: Plan): void {
  const { facts, heads, of } = plan;
  const { reload: may } = facts;
  if (!may || may.models.length === 0 || heads.some(({ model }) => !of.has(model))) return;
  if (facts.runners.some(({ id }) => facts.reloading?.has(id))) return;
  const devices = facts.devices.filter((device) => may.devices.has(device.id) && isQuiet(device, plan));
  if (devices.length === 0) return;
  const spareOn = createSpareOn(plan);
  for (const model of likeliest(may.models, plan)) {
    const on = plan.places.of(model).filter((device) => devices.includes(device));
    const before = plan.actions.length;
    const limit = (facts.models.get(model)?.worth ?? 0) / MARGIN;
    if (!loadIntoRoom(model, plan, on) && !makeRoom(model, plan, { limit, on, spareOn })) continue;
    plan.actions.splice(before, Number.POSITIVE_INFINITY, ...plan.actions.slice(before).map(asReload));
    return;
  }
}

const asReload = (action: Plan["actions"][number]) =>
  action.type === "load" || action.type === "evict" ? { ...action, isReload: true as const } : action;

/** Nothing comes or goes there. Loading takes a processor's time, so on one that works it would delay what runs. */
function isQuiet({ id, kind, isLost }: DeviceFact, plan: Plan): boolean {
  const isMoving = ({ state }: RunnerFact) =>
    state === "starting" || state === "stopping" || (state === "busy" && kind === "cpu");
  return !isLost && !plan.on.get(id)?.some(isMoving);
}

function likeliest(models: readonly ModelId[], plan: Plan): ModelId[] {
  return models
    .filter((model) => !plan.of.has(model) && mayLoad(model, plan))
    .map((model) => {
      const { worth = 0, footprint = 1 } = plan.facts.models.get(model) ?? {};
      return { model, byByte: worth / footprint };
    })
    .toSorted((a, b) => b.byByte - a.byByte)
    .slice(0, TRIED)
    .map(({ model }) => model);
}

function createSpareOn(plan: Plan) {
  const { now } = plan.facts;
  const known = new Map<DeviceFact["id"], RunnerFact[]>();
  const isRested = (runner: RunnerFact) => maySpare(runner, plan) && now - restingSince(runner, plan) >= STAY;
  return ({ id }: DeviceFact) => {
    const spare = known.get(id) ?? plan.on.get(id)?.filter(isRested) ?? [];
    known.set(id, spare);
    return spare;
  };
}

const restingSince = ({ id, lastUsedAt }: RunnerFact, { facts }: Plan) =>
  Math.max(lastUsedAt, facts.readySince.get(id)?.at ?? 0);

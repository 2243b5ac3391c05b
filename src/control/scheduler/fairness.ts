// When a loaded model must give up its memory although it has work: so that no other model waits for ever.
import type { RunnerId } from "../../core/ids.ts";
import { type Instant, instant, milliseconds } from "../../core/units.ts";
import type { Facts, WaitingJob } from "./decide.ts";
import { fitsBeside, mayLoad, needOf } from "./fit.ts";

/**
 * A job that waits this long for memory may take it from a loaded model whose own jobs are younger; until then the
 * loaded model is served first, which saves swapping back and forth.
 */
export const PATIENCE = milliseconds(10_000);

/** A loaded model keeps its place at least this long, and at least this many times what loading it took. */
const TENURE_LOADS = 2;

export const tenureEnd = ({ at, loadMs }: { at: Instant; loadMs: number }) =>
  instant(at + Math.max(PATIENCE, TENURE_LOADS * loadMs));

/** Runners that get no further job, because an older job of another model has waited long enough for their memory. */
export function runnersThatYield(heads: WaitingJob[], facts: Facts): Set<RunnerId> {
  const yielding = new Set<RunnerId>();
  const starved = heads.filter((head) => facts.now - head.createdAt >= PATIENCE && lacksRoom(head, facts));
  for (const head of starved) {
    for (const { id, model } of facts.runners) {
      const own = heads.find((each) => each.model === model);
      const since = facts.readySince.get(id);
      const isYounger = own === undefined || own.createdAt > head.createdAt;
      if (isYounger && since !== undefined && tenureEnd(since) <= facts.now) yielding.add(id);
    }
  }
  return yielding;
}

const lacksRoom = ({ model }: WaitingJob, facts: Facts) =>
  mayLoad(model, facts) &&
  !facts.devices.some((device) => fitsBeside(needOf(model, facts.footprint), device, facts.runners));

// The earliest moment at which the same facts would be decided otherwise, for no other reason than the time.
import { type Instant, instant } from "../../core/units.ts";
import type { Facts } from "./decide.ts";
import { PATIENCE, tenureEnd } from "./fairness.ts";

/** `deadline`: the earliest `startBy` of all waiting jobs, also of those that the facts leave out. */
export function nextLook(facts: Facts, deadline: Instant | undefined): Instant | undefined {
  const { now, jobs, runners, backOffs, readySince, idleUnload } = facts;
  const moments: number[] = deadline === undefined ? [] : [deadline];
  for (const { model, createdAt } of jobs) {
    const backOff = backOffs.get(model);
    if (backOff) moments.push(backOff.until);
    moments.push(createdAt + PATIENCE);
  }
  if (jobs.length > 0) moments.push(...[...readySince.values()].map(tenureEnd));
  if (idleUnload !== undefined)
    for (const { state, lastUsedAt } of runners) if (state === "ready") moments.push(lastUsedAt + idleUnload);
  const coming = moments.filter((moment) => moment > now);
  return coming.length === 0 ? undefined : instant(Math.min(...coming));
}

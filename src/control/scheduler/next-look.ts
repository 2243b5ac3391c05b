// The earliest moment at which the same facts would be decided otherwise, for no other reason than the time.
import { type Instant, instant, type Milliseconds } from "../../core/units.ts";
import { PATIENCE, tenureEnd } from "./fairness.ts";
import type { Facts } from "./situation.ts";

/** `deadline`: the earliest `startBy` of all waiting jobs, also of those that the facts leave out. */
export function nextLook(facts: Facts, deadline: Instant | undefined): Instant | undefined {
  const { now, jobs, runners, backOffs, readySince, idleUnload, models, ahead } = facts;
  const moments: number[] = deadline === undefined ? [] : [deadline];
  for (const { model, createdAt, batch } of jobs) {
    const backOff = backOffs.get(model);
    if (backOff) moments.push(backOff.until);
    moments.push(createdAt + PATIENCE);
    if (batch !== undefined) moments.push(createdAt + facts.batchWindow);
  }
  for (const { inLineSince } of models.values())
    if (inLineSince !== undefined) moments.push(inLineSince + facts.lineLimit);
  for (const model of ahead) moments.push(backOffs.get(model)?.until ?? now);
  if (jobs.length > 0) for (const since of readySince.values()) moments.push(tenureEnd(since));
  moments.push(...idleMoments(runners, idleUnload));
  return first(moments.filter((each) => each > now));
}

/** When the first idle runner has been idle for too long. */
export const nextIdle = (runners: Facts["runners"], idleUnload: Milliseconds | undefined): Instant | undefined =>
  first(idleMoments(runners, idleUnload));

const idleMoments = (runners: Facts["runners"], idleUnload: Milliseconds | undefined): number[] =>
  idleUnload === undefined
    ? []
    : runners.flatMap(({ state, lastUsedAt }) => (state === "ready" ? [lastUsedAt + idleUnload] : []));

export const earliest = (...moments: (Instant | undefined)[]): Instant | undefined =>
  first(moments.filter((each) => each !== undefined));

const first = (moments: number[]): Instant | undefined =>
  moments.length === 0 ? undefined : instant(moments.reduce((least, each) => Math.min(least, each)));

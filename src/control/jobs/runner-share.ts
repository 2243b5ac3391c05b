// Divides a runner's time among the jobs that it works on at each moment: what a batch costs by time is what its runner
// spent on it, once, and a job that joins or ends early has its share of the time that it was there.
import type { RunnerId } from "../../core/ids.ts";
import type { Milliseconds } from "../../core/units.ts";

export type Shared = {
  runner: RunnerId;
  /** Of the runner's time, up to `countedTo`. */
  shareMs: number;
  countedTo: Milliseconds;
};

/** In place, with `now` by the steady clock; to be called before a job joins its runner or leaves it. */
export function countShares(attempts: Iterable<Shared>, runner: RunnerId, now: Milliseconds): void {
  const together = [...attempts].filter((each) => each.runner === runner);
  for (const each of together) {
    each.shareMs += Math.max(0, now - each.countedTo) / together.length;
    each.countedTo = now;
  }
}

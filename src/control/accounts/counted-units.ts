// What can be limited and priced beside money: the units that some work on a box counts.
import { ForecourtError } from "../../core/errors.ts";
import { COUNTED_UNITS, type CountedUnit } from "../../core/pipeline.ts";

/** The request itself and the share of its runner's time are counted for every job, whatever its pipeline. */
const BY_EVERY_JOB = ["requests", "gpu_seconds"];

/** `unit` is in the plural. Throws `bad_request` for one that nothing would ever count: it would limit nothing and cost nothing. */
export function expectCounted(unit: string): void {
  const complaint = complaintOf(unit, COUNTED_UNITS);
  if (complaint !== undefined) throw new ForecourtError("bad_request", `Nothing here ${complaint}.`);
}

/** What follows "nothing" or "it never", where the unit is not counted by those who count these and what every job does. */
export function complaintOf(unit: string, counts: readonly CountedUnit[]): string | undefined {
  const isOfTokens = counts.some((each) => each === "input_tokens" || each === "output_tokens");
  const counted = new Set<string>([...counts, ...(isOfTokens ? ["tokens"] : []), ...BY_EVERY_JOB]);
  return counted.has(unit) ? undefined : `counts ${unit.slice(0, 50)}; what is counted: ${[...counted].join(", ")}`;
}

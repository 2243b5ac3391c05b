// What can be limited and priced beside money: the units that some work on a box counts.
import { ForecourtError } from "../../core/errors.ts";
import { COUNTED_UNITS } from "../../core/pipeline.ts";

/** The share of its runner's time is counted for every job, whatever its pipeline. */
const COUNTED: ReadonlySet<string> = new Set([...COUNTED_UNITS, "gpu_seconds"]);

/** `unit` is in the plural. Throws `bad_request` for one that nothing would ever count: it would limit nothing and cost nothing. */
export function expectCounted(unit: string): void {
  if (COUNTED.has(unit)) return;
  throw new ForecourtError(
    "bad_request",
    `Nothing here counts ${unit.slice(0, 50)}; what is counted: ${[...COUNTED].join(", ")}.`,
  );
}

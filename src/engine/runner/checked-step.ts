// What a pipeline says of its work before it is believed: amounts that can be billed, and, of new weights, numbers that are some; broken
// ones often compute without a complaint.
import { ForecourtError } from "../../core/errors.ts";
import type { Step, Units } from "../../core/pipeline.ts";
import type { RunJob } from "../protocol.ts";

/** Of one request and one unit. What is beyond it comes of a mistake, and could not be counted exactly. */
const MOST = 1e9;

/** The step. Throws `runner_failed` for an amount that is none, and for an output of a trial with a number that is none. */
export function checkedStep(step: Step<unknown>, { isTrial }: Pick<RunJob, "isTrial">): Step<unknown> {
  if (step.type !== "output") return step;
  expectAmounts(step.units);
  if (isTrial) expectNumbers(step.value);
  return step;
}

function expectAmounts(units: Units): void {
  for (const [unit, amount] of Object.entries(units))
    if (!(amount >= 0 && amount <= MOST))
      throw new ForecourtError("runner_failed", `the run counted ${amount} ${unit}, which cannot be`);
}

function expectNumbers(output: unknown): void {
  if (typeof output === "number" && !Number.isFinite(output))
    throw new ForecourtError("runner_failed", `an example gave ${output} where a number should be`);
  if (ArrayBuffer.isView(output) || typeof output !== "object" || output === null) return;
  for (const each of Object.values(output)) expectNumbers(each);
}

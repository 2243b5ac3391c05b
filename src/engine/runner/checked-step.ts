// Whether new weights compute at all: broken ones often do it without a complaint.
import { ForecourtError } from "../../core/errors.ts";
import type { Step } from "../../core/pipeline.ts";
import type { RunJob } from "../protocol.ts";

/** The step. Throws `runner_failed` for an output of a trial with a number that is none. */
export function checkedStep(step: Step<unknown>, { isTrial }: Pick<RunJob, "isTrial">): Step<unknown> {
  if (isTrial && step.type === "output") expectNumbers(step.value);
  return step;
}

function expectNumbers(output: unknown): void {
  if (typeof output === "number" && !Number.isFinite(output))
    throw new ForecourtError("runner_failed", `an example gave ${output} where a number should be`);
  if (ArrayBuffer.isView(output) || typeof output !== "object" || output === null) return;
  for (const each of Object.values(output)) expectNumbers(each);
}

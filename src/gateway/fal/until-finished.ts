// Waiting for a job's end on behalf of a caller who takes it along when he leaves.
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { JobId } from "../../core/ids.ts";
import { onAbort } from "../on-abort.ts";
import { type FinishedJob, isOver } from "./translate.ts";

/** Undefined when `signal` came first: then the job is abandoned. Throws `unavailable` when its end will not be known. */
export async function untilFinished(
  jobs: Pick<Jobs, "untilEnd" | "abandon">,
  id: JobId,
  signal: AbortSignal,
): Promise<FinishedJob | undefined> {
  const stay = onAbort(signal, () => jobs.abandon(id));
  try {
    const job = await jobs.untilEnd(id, signal);
    return job && isOver(job) ? job : undefined;
  } finally {
    stay();
  }
}

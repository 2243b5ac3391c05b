// The order of a model's waiting jobs: priority, then the turn that is fair between keys, then age.
import type { Priority } from "../../core/job.ts";
import type { WaitingJob } from "./situation.ts";

export const byTurn = (a: WaitingJob, b: WaitingJob) =>
  rank(a.priority) - rank(b.priority) || a.turn - b.turn || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

/** Normal ones before low ones. */
export const rank = (priority: Priority) => (priority === "normal" ? 0 : 1);

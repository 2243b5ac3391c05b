// The order of a model's waiting jobs: priority, then the turn that is fair between keys, then age.
import type { ModelId } from "../../core/ids.ts";
import type { Priority } from "../../core/job.ts";
import type { WaitingJob } from "./situation.ts";

export const byTurn = (a: WaitingJob, b: WaitingJob) =>
  rank(a.priority) - rank(b.priority) || a.turn - b.turn || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

export type Queues = Map<ModelId, WaitingJob[]>;

/** Jobs by model, each model's in the order given. */
export function queuesOf(jobs: readonly WaitingJob[]): Queues {
  const queues: Queues = new Map();
  let queue: WaitingJob[] | undefined;
  let model: ModelId | undefined;
  for (const job of jobs) {
    // Mostly they come model by model.
    if (job.model !== model) {
      model = job.model;
      queue = queues.get(model);
      if (!queue) {
        queue = [];
        queues.set(model, queue);
      }
    }
    queue?.push(job);
  }
  return queues;
}

/** Normal ones before low ones. */
export const rank = (priority: Priority) => (priority === "normal" ? 0 : 1);

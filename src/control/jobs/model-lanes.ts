// The lanes of each model that jobs wait for: one for each priority.
import type { ModelId } from "../../core/ids.ts";
import type { Priority } from "../../core/job.ts";
import { createLane, type Lane } from "./lane.ts";
import type { WaitingJob } from "./waiting-job.ts";

export type Lanes = Record<Priority, Lane>;

export type ModelLanes = {
  get(model: ModelId): Lanes | undefined;
  /** Made where there are none. */
  of(model: ModelId): Lanes;
  /** Jobs in them. */
  count(model: ModelId): number;
  /** To be called when a job left them: a model that nobody waits for has none. */
  tidy(model: ModelId): void;
  models(): ModelId[];
  clear(): void;
};

export function createModelLanes(compare: (a: WaitingJob, b: WaitingJob) => number): ModelLanes {
  const byModel = new Map<ModelId, Lanes>();
  /** Empty ones, for the next model that jobs wait for: on a quick box a queue is empty again after every job. */
  const spare: Lanes[] = [];
  const count = (model: ModelId) => {
    const lanes = byModel.get(model);
    return lanes ? lanes.normal.items.length + lanes.low.items.length : 0;
  };
  return {
    get: (model) => byModel.get(model),
    of(model) {
      const known = byModel.get(model);
      if (known) return known;
      const made = spare.pop() ?? { normal: createLane(compare), low: createLane(compare) };
      byModel.set(model, made);
      return made;
    },
    count,
    tidy(model) {
      const lanes = byModel.get(model);
      if (!lanes || count(model) > 0) return;
      byModel.delete(model);
      for (const { turns } of [lanes.normal, lanes.low]) turns.reset();
      spare.push(lanes);
    },
    models: () => [...byModel.keys()],
    clear: () => byModel.clear(),
  };
}

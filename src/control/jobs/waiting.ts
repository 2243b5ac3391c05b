// The queue as the scheduler and position() see it: a mirror in memory of the rows that are `queued`.
import type { JobId, KeyId, ModelId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import { createVerdicts } from "./lane.ts";
import { createModelLanes } from "./model-lanes.ts";
import { createSortedList } from "./sorted-list.ts";
import type { ArrivingJob, WaitingJob } from "./waiting-job.ts";

export type WaitingJobs = {
  readonly size: number;
  add(job: ArrivingJob): void;
  remove(id: JobId): WaitingJob | undefined;
  get(id: JobId): WaitingJob | undefined;
  clear(): void;
  count(model: ModelId): number;
  /** Models with waiting jobs. */
  models(): ModelId[];
  /** How many jobs of each key wait. */
  keys(): ReadonlyMap<KeyId, number>;
  /** The first `limit` jobs of a model in the order in which they are to run, without those that may not start yet. */
  heads(model: ModelId, limit: number): WaitingJob[];
  /** Jobs of the same model that run before this one; 0 if it does not wait. */
  position(id: JobId): number;
  /** Jobs that should have started by `now`. */
  overdue(now: Instant): WaitingJob[];
  nextDeadline(): Instant | undefined;
};

const byAge = (a: WaitingJob, b: WaitingJob) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const byTurn = (a: WaitingJob, b: WaitingJob) => a.turn - b.turn || byAge(a, b);
const byDeadline = (a: WaitingJob, b: WaitingJob) => (a.startBy ?? 0) - (b.startBy ?? 0) || byAge(a, b);

/** `mayStart`: false while a limit on running jobs of its key, its team or its model is reached. */
export function createWaitingJobs(mayStart: (job: WaitingJob) => boolean = () => true): WaitingJobs {
  const byId = new Map<JobId, WaitingJob>();
  const lanes = createModelLanes(byTurn);
  const byKey = new Map<KeyId, number>();
  let deadlines = createSortedList(byDeadline);

  const countKey = (key: KeyId, change: 1 | -1) => {
    const count = (byKey.get(key) ?? 0) + change;
    if (count > 0) byKey.set(key, count);
    else byKey.delete(key);
  };

  return {
    get size() {
      return byId.size;
    },
    add(arriving) {
      const { key, isBack, model, priority } = arriving;
      const lane = lanes.of(model)[priority];
      const job = { ...arriving, turn: arriving.turn ?? (isBack ? lane.turns.now() : lane.turns.next(key)) };
      byId.set(job.id, job);
      countKey(key, 1);
      lane.add(job);
      if (job.startBy !== undefined) deadlines.add(job);
    },
    remove(id) {
      const job = byId.get(id);
      if (!job) return undefined;
      byId.delete(id);
      countKey(job.key, -1);
      const lane = lanes.of(job.model)[job.priority];
      if (lane.items[0] === job) lane.turns.reached(job.turn);
      lane.remove(job);
      if (job.startBy !== undefined) deadlines.remove(job);
      lanes.tidy(job.model);
      return job;
    },
    get: (id) => byId.get(id),
    clear() {
      byId.clear();
      lanes.clear();
      byKey.clear();
      deadlines = createSortedList(byDeadline);
    },
    count: lanes.count,
    keys: () => byKey,
    models: lanes.models,
    heads(model, limit) {
      const { normal, low } = lanes.get(model) ?? {};
      if (!normal || !low) return [];
      const verdicts = createVerdicts(mayStart);
      const first = normal.first(limit, verdicts);
      return [...first, ...low.first(limit - first.length, verdicts)];
    },
    position(id) {
      const job = byId.get(id);
      if (!job) return 0;
      const own = lanes.of(job.model);
      const ahead = job.priority === "low" ? own.normal.items.length : 0;
      return ahead + own[job.priority].rank(job);
    },
    overdue(now) {
      const end = deadlines.items.findIndex(({ startBy = 0 }) => startBy > now);
      return deadlines.items.slice(0, end < 0 ? deadlines.items.length : end);
    },
    nextDeadline: () => deadlines.items[0]?.startBy,
  };
}

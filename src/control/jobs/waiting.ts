// The queue as the scheduler and position() see it: a mirror in memory of the rows that are `queued`.
import type { JobId, KeyId, ModelId } from "../../core/ids.ts";
import type { Job, Priority } from "../../core/job.ts";
import type { Instant } from "../../core/units.ts";
import { createFairTurns, type FairTurns } from "./fair-turns.ts";
import { createSortedList, type SortedList } from "./sorted-list.ts";

export type WaitingJob = Pick<Job, "id" | "model" | "priority" | "createdAt" | "startBy"> & {
  /** When it began to wait: its creation, or its return to the queue. */
  since: Instant;
  /** Prefers the runner that served it before. */
  hint?: string;
  /** Its place in the order that is fair between keys (fair-turns.ts); given when it comes to wait. */
  turn: number;
};

/** `isBack`: it was begun before and is not to wait for its key's turn again. */
export type ArrivingJob = Omit<WaitingJob, "turn"> & { turn?: number; key?: KeyId; isBack?: boolean };

export type WaitingJobs = {
  readonly size: number;
  add(job: ArrivingJob): void;
  remove(id: JobId): WaitingJob | undefined;
  get(id: JobId): WaitingJob | undefined;
  clear(): void;
  count(model: ModelId): number;
  /** Models with waiting jobs. */
  models(): ModelId[];
  /** The first `limit` jobs of a model in the order in which they are to run. */
  heads(model: ModelId, limit: number): WaitingJob[];
  /** Jobs of the same model that run before this one; 0 if it does not wait. */
  position(id: JobId): number;
  /** Jobs that should have started by `now`. */
  overdue(now: Instant): WaitingJob[];
  nextDeadline(): Instant | undefined;
};

type Lane = SortedList<WaitingJob> & { turns: FairTurns };
type Lanes = Record<Priority, Lane>;

const byAge = (a: WaitingJob, b: WaitingJob) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const byTurn = (a: WaitingJob, b: WaitingJob) => a.turn - b.turn || byAge(a, b);
const byDeadline = (a: WaitingJob, b: WaitingJob) => (a.startBy ?? 0) - (b.startBy ?? 0) || byAge(a, b);

export function createWaitingJobs(): WaitingJobs {
  const byId = new Map<JobId, WaitingJob>();
  const byModel = new Map<ModelId, Lanes>();
  let deadlines = createSortedList(byDeadline);

  const lanesOf = (model: ModelId): Lanes => {
    const known = byModel.get(model);
    if (known) return known;
    const made = { normal: createLane(), low: createLane() };
    byModel.set(model, made);
    return made;
  };
  const count = (model: ModelId) => {
    const lanes = byModel.get(model);
    return lanes ? lanes.normal.items.length + lanes.low.items.length : 0;
  };

  return {
    get size() {
      return byId.size;
    },
    add({ key, isBack = false, ...arriving }) {
      const lane = lanesOf(arriving.model)[arriving.priority];
      const job = { ...arriving, turn: arriving.turn ?? (isBack ? lane.turns.now() : lane.turns.next(key)) };
      byId.set(job.id, job);
      lane.add(job);
      if (job.startBy !== undefined) deadlines.add(job);
    },
    remove(id) {
      const job = byId.get(id);
      if (!job) return undefined;
      byId.delete(id);
      const lane = lanesOf(job.model)[job.priority];
      if (lane.items[0] === job) lane.turns.reached(job.turn);
      lane.remove(job);
      if (job.startBy !== undefined) deadlines.remove(job);
      if (count(job.model) === 0) byModel.delete(job.model);
      return job;
    },
    get: (id) => byId.get(id),
    clear() {
      byId.clear();
      byModel.clear();
      deadlines = createSortedList(byDeadline);
    },
    count,
    models: () => [...byModel.keys()],
    heads(model, limit) {
      const lanes = byModel.get(model);
      if (!lanes) return [];
      const first = lanes.normal.items.slice(0, limit);
      return first.length === limit ? first : [...first, ...lanes.low.items.slice(0, limit - first.length)];
    },
    position(id) {
      const job = byId.get(id);
      if (!job) return 0;
      const lanes = lanesOf(job.model);
      const ahead = job.priority === "low" ? lanes.normal.items.length : 0;
      return ahead + lanes[job.priority].rank(job);
    },
    overdue(now) {
      const end = deadlines.items.findIndex(({ startBy = 0 }) => startBy > now);
      return deadlines.items.slice(0, end < 0 ? deadlines.items.length : end);
    },
    nextDeadline: () => deadlines.items[0]?.startBy,
  };
}

const createLane = (): Lane => ({ ...createSortedList(byTurn), turns: createFairTurns() });

// One priority of a model's queue: its jobs in order, and by key, so that a key that may not start is passed over as a whole.
import type { KeyId } from "../../core/ids.ts";
import { createFairTurns, type FairTurns } from "./fair-turns.ts";
import { createSortedList, type SortedList } from "./sorted-list.ts";
import type { WaitingJob } from "./waiting-job.ts";

export type Lane = SortedList<WaitingJob> & {
  turns: FairTurns;
  /** The first `limit` jobs whose keys may start; `verdicts` keeps what was found out of them. */
  first(limit: number, verdicts: Verdicts): WaitingJob[];
};

/** One verdict for all jobs of a key: only running jobs change it. */
export type Verdicts = { of(job: WaitingJob): boolean };

export function createVerdicts(mayStart: (job: WaitingJob) => boolean): Verdicts {
  const known = new Map<KeyId, boolean>();
  return {
    of(job) {
      const verdict = known.get(job.key) ?? mayStart(job);
      known.set(job.key, verdict);
      return verdict;
    },
  };
}

/** So many jobs of keys that may not start are passed over one by one, before the keys are looked at instead. */
const PATIENCE = 64;

export function createLane(compare: (a: WaitingJob, b: WaitingJob) => number): Lane {
  const all = createSortedList(compare);
  const byKey = new Map<KeyId, SortedList<WaitingJob>>();
  /** An empty one, for the next key. */
  let spare: SortedList<WaitingJob> | undefined;

  const ofKey = (key: KeyId) => {
    const known = byKey.get(key);
    if (known) return known;
    const made = spare ?? createSortedList(compare);
    spare = undefined;
    byKey.set(key, made);
    return made;
  };
  /** Undefined when it would have to pass over too many. */
  const walk = (limit: number, verdicts: Verdicts): WaitingJob[] | undefined => {
    const found: WaitingJob[] = [];
    let passed = 0;
    for (const job of all.items) {
      if (found.length >= limit) return found;
      if (verdicts.of(job)) found.push(job);
      else if (++passed > PATIENCE && Number.isFinite(limit)) return undefined;
    }
    return found;
  };
  /** Of the keys that may start, the first `limit` jobs of each, in order. */
  const merge = (limit: number, verdicts: Verdicts): WaitingJob[] =>
    [...byKey.values()]
      .filter(({ items: [head] }) => head !== undefined && verdicts.of(head))
      .flatMap(({ items }) => items.slice(0, limit))
      .sort(compare)
      .slice(0, limit);

  return {
    ...{ items: all.items, rank: all.rank, turns: createFairTurns() },
    add(job) {
      all.add(job);
      ofKey(job.key).add(job);
    },
    remove(job) {
      all.remove(job);
      const own = ofKey(job.key);
      own.remove(job);
      if (own.items.length > 0) return;
      byKey.delete(job.key);
      spare = own;
    },
    first: (limit, verdicts) => (limit <= 0 ? [] : (walk(limit, verdicts) ?? merge(limit, verdicts))),
  };
}

// Turns in a queue that is fair between keys: who submits a thousand jobs does not stand before who submits one.
import type { KeyId } from "../../core/ids.ts";

/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996) with jobs of equal cost: each key's jobs get consecutive turns, a
 * key that comes new begins at the turn that is served now. Within a turn jobs go by age.
 */
export type FairTurns = {
  /** The turn of a new job. */
  next(key: KeyId): number;
  /** The turn that is served. */
  now(): number;
  /** A job of this turn left the front of the queue. */
  reached(turn: number): void;
  /** Nobody waits any more: all keys are equal again. */
  reset(): void;
};

export function createFairTurns(): FairTurns {
  const upcoming = new Map<KeyId, number>();
  let served = 0;
  return {
    now: () => served,
    next(key) {
      const turn = Math.max(served, upcoming.get(key) ?? 0);
      upcoming.set(key, turn + 1);
      return turn;
    },
    reached(turn) {
      if (turn <= served) return;
      served = turn;
      for (const [key, next] of upcoming) if (next <= served) upcoming.delete(key);
    },
    reset() {
      upcoming.clear();
      served = 0;
    },
  };
}

// Which runners to stop so that a model fits: those whose memory is worth least, and no more than needed.
import type { Bytes, Instant } from "../../core/units.ts";

/** `worth`: what is lost when it goes (popularity.ts). */
export type Candidate = { memory: Bytes; worth: number; lastUsedAt: Instant };

export type Eviction<C> = { chosen: C[]; loss: number };

/** Undefined when stopping all candidates would not make enough room; nobody is chosen when nothing is missing. */
export function chooseEvictions<C extends Candidate>(
  missing: Bytes,
  candidates: readonly C[],
): Eviction<C> | undefined {
  const several = cheapestFirst(missing, candidates);
  if (!several) return undefined;
  const alone = candidates.filter(({ memory }) => memory >= missing).toSorted(byLoss)[0];
  return alone && alone.worth < several.loss ? { chosen: [alone], loss: alone.worth } : several;
}

function cheapestFirst<C extends Candidate>(missing: Bytes, candidates: readonly C[]): Eviction<C> | undefined {
  let freed = candidates.reduce((sum, { memory }) => sum + memory, 0);
  if (freed < missing) return undefined;
  const isNeeded = ({ memory }: C) => {
    if (freed - memory < missing) return true;
    freed -= memory;
    return false;
  };
  // The most valuable is spared first; a large one that stays chosen can spare small ones that are worth less.
  const chosen = candidates.toSorted(byDensity).toReversed().filter(isNeeded).toReversed();
  return { chosen, loss: chosen.reduce((sum, { worth }) => sum + worth, 0) };
}

const byAge = (a: Candidate, b: Candidate) => a.lastUsedAt - b.lastUsedAt;
const byLoss = (a: Candidate, b: Candidate) => a.worth - b.worth || byAge(a, b);
/** Worth of a byte; where nothing is known of their popularity, the least recently used goes. */
const byDensity = (a: Candidate, b: Candidate) => a.worth * b.memory - b.worth * a.memory || byAge(a, b);

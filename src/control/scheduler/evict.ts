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
  if (missing <= 0) return { chosen: [], loss: 0 };
  const several = cheapestFirst(missing, candidates);
  if (!several) return undefined;
  const alone = candidates.filter(({ memory }) => memory >= missing).toSorted(byLoss)[0];
  return alone && alone.worth < several.loss ? { chosen: [alone], loss: alone.worth } : several;
}

function cheapestFirst<C extends Candidate>(missing: Bytes, candidates: readonly C[]): Eviction<C> | undefined {
  const chosen: C[] = [];
  let freed = 0;
  for (const each of candidates.toSorted(byDensity)) {
    if (freed >= missing) break;
    chosen.push(each);
    freed += each.memory;
  }
  if (freed < missing) return undefined;
  // A large one chosen late can make small ones chosen early needless; the most valuable is spared first.
  const needed = chosen.toReversed().filter((each) => {
    const isNeeded = freed - each.memory < missing;
    if (!isNeeded) freed -= each.memory;
    return isNeeded;
  });
  const kept = needed.toReversed();
  return { chosen: kept, loss: kept.reduce((sum, { worth }) => sum + worth, 0) };
}

const byAge = (a: Candidate, b: Candidate) => a.lastUsedAt - b.lastUsedAt;
const byLoss = (a: Candidate, b: Candidate) => a.worth - b.worth || byAge(a, b);
/** Worth of a byte; where nothing is known of their popularity, the least recently used goes. */
const byDensity = (a: Candidate, b: Candidate) => a.worth * b.memory - b.worth * a.memory || byAge(a, b);

// Which runners to stop so that a model fits: the least recently used of those that may go, and no more than needed.
import type { Bytes, Instant } from "../../core/units.ts";

export type Candidate = { memory: Bytes; lastUsedAt: Instant };

/** Empty when stopping all candidates would not make enough room, or when none needs to be stopped. */
export function chooseEvictions<C extends Candidate>(missing: Bytes, candidates: C[]): C[] {
  const chosen: C[] = [];
  let freed = 0;
  for (const each of candidates.toSorted((a, b) => a.lastUsedAt - b.lastUsedAt)) {
    if (freed >= missing) break;
    chosen.push(each);
    freed += each.memory;
  }
  if (freed < missing) return [];
  // A large one chosen late can make small ones chosen early needless.
  return chosen.filter((each) => {
    const isNeeded = freed - each.memory < missing;
    if (!isNeeded) freed -= each.memory;
    return isNeeded;
  });
}

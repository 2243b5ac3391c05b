// The popularity of each model of a box, with what all of them together tell of one. The simulator keeps them in the same way.
import type { Instant } from "../../core/units.ts";
import { asked, type Custom, customOf, expectedRate, type Popularity, unknown } from "./popularity.ts";

export type Popularities<Key> = {
  of(model: Key): Popularity | undefined;
  asked(model: Key, now: Instant): void;
  /** Requests a second that are to be expected. */
  rate(model: Key, now: Instant): number;
};

/** What all models tell is found anew after this. */
const CUSTOM_MS = 60_000;

export function createPopularities<Key>(stored: Iterable<[Key, Popularity]> = []): Popularities<Key> {
  const known = new Map(stored);
  let found: Custom | undefined;
  const custom = (now: Instant): Custom => {
    if (!found || now >= found.at + CUSTOM_MS) found = customOf(known.values(), now);
    return found;
  };
  return {
    of: (model) => known.get(model),
    asked: (model, now) => void known.set(model, asked(known.get(model) ?? unknown(now), now, custom(now))),
    rate(model, now) {
      const popularity = known.get(model);
      return popularity ? expectedRate(popularity, now, custom(now)) : 0;
    },
  };
}

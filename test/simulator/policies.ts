// What a place in memory is worth: by our own rule, by recency alone (LRU), and by knowing the future.
import { createPopularities } from "../../src/control/scheduler/popularities.ts";
import { worthOf } from "../../src/control/scheduler/popularity.ts";
import { instant } from "../../src/core/units.ts";
import { type Arrival, PAUSE_MS, type SimulatedModel, type Traffic } from "./traffic.ts";

export type Policy = {
  name: string;
  /** What had to make room may be loaded again without a job (reload.ts). */
  reloads?: boolean;
  asked(model: number, at: number): void;
  worth(model: number, now: number): number;
  /** Requests a second that it expects; of several runners of a model each is worth its part where it says nothing. */
  rate?(model: number, now: number): number;
};

export function ourPolicy(models: SimulatedModel[], reloads = true): Policy {
  const popularities = createPopularities<number>();
  return {
    name: reloads ? "forecourt" : "no reloading",
    reloads,
    asked: (model, at) => popularities.asked(model, instant(at)),
    rate: (model, now) => popularities.rate(model, instant(now)),
    worth: (model, now) => worthOf(popularities.rate(model, instant(now)), models[model]?.loadMs ?? 0),
  };
}

/** So much younger is worth e times as much: enough that the youngest of several that would go outweighs the others. */
const LRU_STEP_MS = 20_000;

/**
 * What was used least recently goes first, whatever its size: worth is by the byte, since evict.ts compares by the byte,
 * and grows so steeply with the last use that of several devices the one is taken whose youngest victim is the oldest.
 * Ages beyond four hours are worth nothing, and then evict.ts goes by last use itself.
 */
export const leastRecentlyUsed = (models: SimulatedModel[]): Policy => {
  const last = new Map<number, number>();
  return {
    name: "LRU",
    asked: (model, at) => last.set(model, at),
    worth: (model, now) =>
      Math.exp(((last.get(model) ?? Number.NEGATIVE_INFINITY) - now) / LRU_STEP_MS) * (models[model]?.footprint ?? 0),
  };
};

/** Of so much of what is to come the clairvoyant takes the rate, for lines. */
const AHEAD_MS = 60_000;

/**
 * Belady's rule for things of different size: what is needed last, for its size, goes first. `power` 0 counts the size in
 * full and has the fewest cold starts of all tried; it is no bound.
 */
export function clairvoyant(models: SimulatedModel[], traffic: Arrival[], power: number): Policy {
  const arrivals = models.map(() => [] as number[]);
  for (const { model, at } of traffic) arrivals[model]?.push(at);
  const seen = models.map(() => 0);
  const next = (model: number, after = 0) => arrivals[model]?.[(seen[model] ?? 0) + after];
  return {
    name: power === 0 ? "clairvoyant" : `clairvoyant ${power}`,
    asked(model) {
      seen[model] = (seen[model] ?? 0) + 1;
    },
    rate(model, now) {
      let count = 0;
      while ((next(model, count) ?? Number.POSITIVE_INFINITY) < now + AHEAD_MS) count++;
      return (1000 * count) / AHEAD_MS;
    },
    worth(model, now) {
      const { footprint = 0 } = models[model] ?? {};
      return footprint ** power / Math.max(1, (next(model) ?? Number.POSITIVE_INFINITY) - now);
    },
  };
}

/**
 * What could be had at most without knowing the future (hazard-rate ordering, Panigrahy et al., "A New Upper Bound on Cache
 * Hit Probability", 2021): it is told how often sittings of each model begin just now, and the chance that one goes on,
 * and keeps what is most likely to be asked for next, by the byte. A model's sittings are taken for one.
 */
export function toldRates(models: SimulatedModel[], { rate, sitting }: Traffic, power = 0): Policy {
  const last = new Map<number, number>();
  const goesOn = 1 - 1 / sitting;
  const expected = (model: number, now: number) => {
    const quiet = goesOn * Math.exp(((last.get(model) ?? Number.NEGATIVE_INFINITY) - now) / PAUSE_MS);
    return quiet / (1 - goesOn + quiet) / PAUSE_MS + rate(model, now);
  };
  return {
    name: "told the rates",
    asked: (model, at) => last.set(model, at),
    rate: (model, now) => 1000 * expected(model, now),
    worth: (model, now) => expected(model, now) * (models[model]?.loadMs ?? 0) ** power,
  };
}

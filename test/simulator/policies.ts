// What a place in memory is worth: by our own rule, by recency alone (LRU), and by knowing the future.
import { asked, expectedRate, type Popularity, unknown, worthOf } from "../../src/control/scheduler/popularity.ts";
import { instant } from "../../src/core/units.ts";
import type { Arrival, SimulatedModel } from "./traffic.ts";

export type Policy = {
  name: string;
  asked(model: number, at: number): void;
  worth(model: number, now: number): number;
};

export function ourPolicy(models: SimulatedModel[]): Policy {
  const known = new Map<number, Popularity>();
  return {
    name: "forecourt",
    asked: (model, at) => known.set(model, asked(known.get(model) ?? unknown(instant(at)), instant(at))),
    worth: (model, now) =>
      worthOf(expectedRate(known.get(model) ?? unknown(instant(now)), instant(now)), models[model]?.loadMs ?? 0),
  };
}

/** Nothing is worth anything: what was used least recently goes first. */
export const leastRecentlyUsed = (models: SimulatedModel[]): Policy => {
  const last = new Map<number, number>();
  return {
    name: "LRU",
    asked: (model, at) => last.set(model, at),
    // By the byte, so that evict.ts, which compares by the byte, keeps exactly the order of last use.
    worth: (model) => (last.get(model) ?? 0) * (models[model]?.footprint ?? 0),
  };
};

/** Belady's rule for things of different size: what is needed last, for its size, goes first. */
export function clairvoyant(models: SimulatedModel[], traffic: Arrival[], power: number): Policy {
  const arrivals = new Map<number, number[]>();
  for (const { model, at } of traffic) arrivals.set(model, [...(arrivals.get(model) ?? []), at]);
  const seen = new Map<number, number>();
  return {
    name: `clairvoyant ${power}`,
    asked: (model) => seen.set(model, (seen.get(model) ?? 0) + 1),
    worth(model, now) {
      const next = arrivals.get(model)?.[seen.get(model) ?? 0];
      const { footprint = 0 } = models[model] ?? {};
      return next === undefined ? 0 : footprint ** power / Math.max(1, next - now);
    },
  };
}

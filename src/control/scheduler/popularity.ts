// How much a model is asked for, fading with time: what its place in memory is worth. Pure.
import { type Instant, instant } from "../../core/units.ts";

/** Requests so far, each fading: within half a minute, an hour, a day. True at the moment `at`. */
export type Popularity = { sitting: number; hour: number; day: number; at: Instant };

type Memory = Exclude<keyof Popularity, "at">;

/**
 * Requests come in sittings: who asked for a model asks again within half a minute or not for long. An hour shows what
 * is the favourite now, a day what the box is for. Chosen with `bun run simulate`.
 */
const FADING_MS: Record<Memory, number> = { sitting: 30_000, hour: 3_600_000, day: 86_400_000 };
const memories: readonly Memory[] = ["sitting", "hour", "day"];

export const unknown = (now: Instant): Popularity => ({ sitting: 0, hour: 0, day: 0, at: now });

export function faded(popularity: Popularity, now: Instant): Popularity {
  const passed = Math.max(0, now - popularity.at);
  const left = (memory: Memory) => popularity[memory] * Math.exp(-passed / FADING_MS[memory]);
  return {
    ...{ sitting: left("sitting"), hour: left("hour"), day: left("day") },
    at: instant(Math.max(popularity.at, now)),
  };
}

export function asked(popularity: Popularity, now: Instant): Popularity {
  const { sitting, hour, day, at } = faded(popularity, now);
  return { sitting: sitting + 1, hour: hour + 1, day: day + 1, at };
}

/** Requests a second that are to be expected in the next minutes, for comparison between models. */
export function expectedRate(popularity: Popularity, now: Instant): number {
  const left = faded(popularity, now);
  return memories.reduce((rate, memory) => rate + (1000 * left[memory]) / FADING_MS[memory], 0);
}

/** What keeping a model in memory saves: milliseconds of loading in each second. */
export const worthOf = (rate: number, loadMs: number) => rate * loadMs;

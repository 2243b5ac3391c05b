// How much a model is asked for, fading with time: what its place in memory is worth. Pure.
import { type Instant, instant } from "../../core/units.ts";

/** Requests so far, each fading: `recent` within minutes, `lasting` within days. True at the moment `at`. */
export type Popularity = { recent: number; lasting: number; at: Instant };

/** Requests come in sittings: who asked for a model asks again within minutes. */
export const RECENT_MS = 10 * 60_000;
/** What a model is used for on the whole, from day to day. */
export const LASTING_MS = 24 * 60 * 60_000;

export const unknown = (now: Instant): Popularity => ({ recent: 0, lasting: 0, at: now });

export function faded({ recent, lasting, at }: Popularity, now: Instant): Popularity {
  const passed = Math.max(0, now - at);
  return {
    recent: recent * Math.exp(-passed / RECENT_MS),
    lasting: lasting * Math.exp(-passed / LASTING_MS),
    at: instant(Math.max(at, now)),
  };
}

export function asked(popularity: Popularity, now: Instant, times = 1): Popularity {
  const { recent, lasting, at } = faded(popularity, now);
  return { recent: recent + times, lasting: lasting + times, at };
}

/** Requests a second that are to be expected in the next minutes. */
export function expectedRate(popularity: Popularity, now: Instant): number {
  const { recent, lasting } = faded(popularity, now);
  return recent / (RECENT_MS / 1000) + lasting / (LASTING_MS / 1000);
}

/** What keeping a model in memory saves: milliseconds of loading in each second. */
export const worthOf = (rate: number, loadMs: number) => rate * loadMs;

// How likely a model is asked for soon: what its place in memory is worth. Pure.
import { type Instant, instant } from "../../core/units.ts";

/**
 * Requests come in sittings: who asked for a model often asks again within half a minute, or not for long. Both are told apart:
 * how often sittings begin, and whether they go on. All numbers fade and were true at `at`, when it was last asked for.
 */
export type Popularity = {
  /** Sittings begun, fading within two hours: what is the favourite now. */
  lately: number;
  /** The same, within three days: what the box is for. */
  long: number;
  /** Of so many requests so many came within half a minute of another; within three days. */
  followed: number;
  requests: number;
  at: Instant;
  /** When it was first asked for. */
  since: Instant;
};

/** Chosen with `bun run simulate`, as is the pause. */
const LATELY_MS = 2 * 3_600_000;
const LONG_MS = 3 * 86_400_000;
/** A request after a shorter one begins a sitting in part, so that steady requests count as well. */
const PAUSE_MS = 30_000;
/** Until a model's own requests tell, every second one is taken to have another behind it; that weighs as four requests. */
const USUAL = { followed: 2, requests: 4 };

export const unknown = (now: Instant): Popularity => ({
  lately: 0,
  long: 0,
  followed: 0,
  requests: 0,
  at: now,
  since: now,
});

export function asked(popularity: Popularity, now: Instant): Popularity {
  const { lately, long, followed, requests, at } = popularity;
  const passed = Math.max(0, now - at);
  const begun = requests === 0 ? 1 : Math.min(1, passed / PAUSE_MS);
  const kept = left(passed, LONG_MS);
  return {
    lately: lately * left(passed, LATELY_MS) + begun,
    long: long * kept + begun,
    followed: followed * kept + (requests > 0 && passed < PAUSE_MS ? 1 : 0),
    requests: requests * kept + 1,
    at: instant(Math.max(at, now)),
    since: popularity.since,
  };
}

const left = (passed: number, memory: number) => Math.exp(-passed / memory);

/**
 * Requests a second that are to be expected just now, for comparison between models. `since`: when the box had its first
 * request; a memory that is longer than that is not full yet.
 */
export function expectedRate(popularity: Popularity, now: Instant, since: Instant): number {
  const { lately, long, followed, requests, at } = popularity;
  const passed = Math.max(0, now - at);
  const known = Math.max(PAUSE_MS, now - since);
  const beginning = (count: number, memory: number) => (count * left(passed, memory)) / full(known, memory);
  const goesOn = (followed + USUAL.followed) / (requests + USUAL.requests);
  const quiet = goesOn * left(passed, PAUSE_MS);
  const sitting = quiet / (1 - goesOn + quiet) / PAUSE_MS;
  return 1000 * ((beginning(lately, LATELY_MS) + beginning(long, LONG_MS)) / 2 + sitting);
}

/** What a memory holds of one count a millisecond. */
const full = (known: number, memory: number) => memory * (1 - left(known, memory));

/** What keeping a model in memory saves: milliseconds of loading in each second. */
export const worthOf = (rate: number, loadMs: number) => rate * loadMs;

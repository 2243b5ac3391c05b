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
  /** Of so many requests so many were of a sitting that had begun before; within three days. */
  followed: number;
  requests: number;
  at: Instant;
  /** When it was first asked for. */
  since: Instant;
};

/** What is taken to be true of a model until its own requests tell, from those of all models. */
export type Custom = {
  /** When the box had its first request; a memory that is longer than that is not full yet. */
  since: Instant;
  /** How likely a request has another behind it. */
  goesOn: number;
  /** When this was found. */
  at: Instant;
};

/** Chosen with `bun run simulate`, as are the others. */
const LATELY_MS = 2 * 3_600_000;
const LONG_MS = 3 * 86_400_000;
const PAUSE_MS = 30_000;
/** A box that is younger counts as so old, or the first requests would seem to come all the time. */
const YOUNG_MS = 600_000;
/** Before the box has seen anything, every second request is taken to have another behind it; that weighs as four requests. */
const UNSEEN = { followed: 2, requests: 4 };
/** What the other models' requests tell weighs as so many of a model's own. */
const OTHERS = 20;

export const unknown = (now: Instant): Popularity => ({
  lately: 0,
  long: 0,
  followed: 0,
  requests: 0,
  at: now,
  since: now,
});

export function customOf(all: Iterable<Popularity>, now: Instant): Custom {
  let { followed, requests } = UNSEEN;
  let since = now;
  for (const each of all) {
    const kept = left(Math.max(0, now - each.at), LONG_MS);
    followed += each.followed * kept;
    requests += each.requests * kept;
    since = instant(Math.min(since, each.since));
  }
  return { since, goesOn: followed / requests, at: now };
}

export function asked(popularity: Popularity, now: Instant, custom: Custom): Popularity {
  const { lately, long, followed, requests, at, since } = popularity;
  const passed = Math.max(0, now - at);
  const kept = left(passed, LONG_MS);
  // It begins a sitting in part: as far as that was to be expected, and not that the last one goes on.
  const begins = beginning(popularity, now, custom);
  const begun = long * kept === 0 ? 1 : begins / (begins + continuing(popularity, now, custom));
  return {
    lately: lately * left(passed, LATELY_MS) + begun,
    long: long * kept + begun,
    followed: followed * kept + 1 - begun,
    requests: requests * kept + 1,
    at: instant(Math.max(at, now)),
    since,
  };
}

const left = (passed: number, memory: number) => Math.exp(-passed / memory);

/** Requests a second that are to be expected just now, for comparison between models. */
export const expectedRate = (popularity: Popularity, now: Instant, custom: Custom): number =>
  1000 * (beginning(popularity, now, custom) + continuing(popularity, now, custom));

/** Sittings a millisecond that begin. */
function beginning({ lately, long, at }: Popularity, now: Instant, { since }: Custom): number {
  const passed = Math.max(0, now - at);
  const known = Math.max(YOUNG_MS, now - since);
  const within = (count: number, memory: number) => (count * left(passed, memory)) / full(known, memory);
  return (within(lately, LATELY_MS) + within(long, LONG_MS)) / 2;
}

/** Requests a millisecond with which the last sitting goes on. */
function continuing({ followed, requests, at }: Popularity, now: Instant, custom: Custom): number {
  const goesOn = (followed + OTHERS * custom.goesOn) / (requests + OTHERS);
  const quiet = goesOn * left(Math.max(0, now - at), PAUSE_MS);
  return quiet / (1 - goesOn + quiet) / PAUSE_MS;
}

/** What a memory holds of one count a millisecond. */
const full = (known: number, memory: number) => memory * (1 - left(known, memory));

/** That a request has to wait at all weighs as much as so much waiting: a large model would take the place of many small ones. */
const COLD_START_MS = 10_000;

/** What keeping a model in memory saves in each second: milliseconds of waiting for it, and cold starts. */
export const worthOf = (rate: number, loadMs: number) => rate * (COLD_START_MS + loadMs);

/**
 * What the last of several runners of a model is worth: requests that find all others busy (Erlang's loss formula) have to wait for about
 * a run. Where it is not known how many of them are kept busy, its part.
 */
export function worthOfLast(
  { worth, underWay }: { worth: number; underWay?: number | undefined },
  count: number,
): number {
  if (count === 1) return worth;
  if (underWay === undefined) return worth / count;
  let blocked = 1;
  for (let others = 1; others < count; others++) blocked = (underWay * blocked) / (others + underWay * blocked);
  return blocked * Math.min(worth, 1000 * underWay);
}

// The time parameters that usage, analytics and requests share: from when to when, in which buckets of which time zone.
import { choice, Type } from "../../core/schema.ts";
import { type Instant, instant } from "../../core/units.ts";
import { readInstant } from "../read-instant.ts";
import { wrongQuery } from "./query.ts";
import { type Timeframe, type TimeZone, timeframes, timeZone } from "./time-zone.ts";

const time = (description: string) => Type.Optional(Type.String({ maxLength: 50, description }));

export const rangeFields = {
  start: time("ISO 8601 date or time, UTC unless it has an offset; included; by default 24 hours ago"),
  end: time("ISO 8601 date or time, UTC unless it has an offset; excluded; by default now"),
};

export const bucketFields = {
  ...rangeFields,
  timezone: Type.String({ maxLength: 100, default: "UTC", description: "IANA zone in which buckets begin" }),
  timeframe: Type.Optional(
    choice(timeframes, { description: "Length of a bucket; by default after the range's length" }),
  ),
  bound_to_timeframe: choice(["true", "false"], {
    default: "true",
    description: "Widen the range to whole buckets",
  }),
};

export type Range = { start: Instant; end: Instant };
export type Bucket = Range & { label: string };

type RangeQuery = { start?: string; end?: string };
export type BucketQuery = RangeQuery & {
  timezone: string;
  timeframe?: Timeframe;
  bound_to_timeframe: "true" | "false";
};

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** `reach`: how far back a range begins that says nothing of it. Throws `invalid_input`. */
export function rangeOf({ start, end }: RangeQuery, now: Instant, reach = DAY): Range {
  // What ends this very moment is in.
  const last = end === undefined ? instant(now + 1) : timeOf("end", end);
  const first = start === undefined ? instant(Math.min(now, last) - reach) : timeOf("start", start);
  if (first >= last) throw wrongQuery("start", "Input should be before end");
  return { start: first, end: last };
}

/** Throws `invalid_input`. */
function timeOf(name: string, text: string): Instant {
  const at = readInstant(text);
  if (at === undefined) throw wrongQuery(name, "Input should be an ISO 8601 date or time");
  return at;
}

/** A chart has no more points, and a year of hours has 8784. */
const MOST_BUCKETS = 10_000;

/** Throws `invalid_input`. */
export function bucketsOf(query: BucketQuery, now: Instant): Bucket[] {
  const zone = timeZone(query.timezone);
  if (!zone) throw wrongQuery("timezone", "Input should be the name of an IANA time zone");
  const given = rangeOf(query, now);
  const timeframe = query.timeframe ?? timeframeFor(given);
  const range = query.bound_to_timeframe === "true" ? widened(given, zone, timeframe) : given;
  const buckets: Bucket[] = [];
  for (let start = range.start; start < range.end; ) {
    if (buckets.length >= MOST_BUCKETS)
      throw wrongQuery("timeframe", `The range has more than ${MOST_BUCKETS} of them. Choose a longer one.`);
    const end = instant(Math.min(zone.next(start, timeframe), range.end));
    buckets.push({ start, end, label: zone.format(start) });
    start = end;
  }
  return buckets;
}

function widened({ start, end }: Range, zone: TimeZone, timeframe: Timeframe): Range {
  const floor = zone.floor(end, timeframe);
  return { start: zone.floor(start, timeframe), end: floor === end ? end : zone.next(end, timeframe) };
}

/** fal's steps. */
function timeframeFor({ start, end }: Range): Timeframe {
  const length = end - start;
  if (length < 2 * HOUR) return "minute";
  if (length < 2 * DAY) return "hour";
  if (length < 64 * DAY) return "day";
  return length < 183 * DAY ? "week" : "month";
}

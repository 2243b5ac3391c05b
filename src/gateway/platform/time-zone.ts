// Calendar arithmetic in any time zone: where a minute, hour, day, week or month begins, summer time included.
import { type Instant, instant } from "../../core/units.ts";

export const timeframes = ["minute", "hour", "day", "week", "month"] as const;
export type Timeframe = (typeof timeframes)[number];

/** Milliseconds since the epoch of a clock on the wall, read as if it showed UTC. */
type WallTime = number;

export type TimeZone = {
  /** When the timeframe that `at` lies in began. */
  floor(at: Instant, timeframe: Timeframe): Instant;
  /** When the timeframe after the one that `at` lies in begins. */
  next(at: Instant, timeframe: Timeframe): Instant;
  /** ISO 8601 with the zone's offset. */
  format(at: Instant): string;
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Undefined for a name that is none of IANA's. */
export function timeZone(name: string): TimeZone | undefined {
  const clock = clockOf(name);
  if (!clock) return undefined;
  const wallTime = (at: number): WallTime => {
    const parts = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1000) + 1000) % 1000);
  };
  const offset = (at: number) => wallTime(at) - at;
  /** Of two moments with this wall time the first; for a wall time that summer time skips, the moment of the jump. */
  const toInstant = (wall: WallTime): Instant => {
    const guesses = [wall - offset(wall - DAY), wall - offset(wall + DAY)];
    const fitting = guesses.filter((guess) => wallTime(guess) === wall);
    return instant(fitting.length > 0 ? Math.min(...fitting) : Math.max(...guesses));
  };
  const floor = (at: Instant, timeframe: Timeframe): Instant => {
    // Short ones by the offset of the moment itself: an hour that comes twice is two hours.
    if (timeframe === "minute" || timeframe === "hour") {
      const length = timeframe === "minute" ? MINUTE : HOUR;
      return instant(at - ((((at + offset(at)) % length) + length) % length));
    }
    return toInstant(floorWall(wallTime(at), timeframe));
  };
  return {
    floor,
    next(at, timeframe) {
      const start = floor(at, timeframe);
      if (timeframe === "minute") return instant(start + MINUTE);
      if (timeframe === "hour") return instant(start + HOUR);
      return toInstant(nextWall(floorWall(wallTime(at), timeframe), timeframe));
    },
    format(at) {
      const shift = offset(at);
      const sign = shift < 0 ? "-" : "+";
      const minutes = Math.abs(shift) / MINUTE;
      const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
      return `${new Date(at + shift).toISOString().slice(0, 19)}${sign}${two(minutes / 60)}:${two(minutes % 60)}`;
    },
  };
}

function clockOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const number = "2-digit";
  try {
    return new Intl.DateTimeFormat("en-US", {
      ...{ timeZone, hourCycle: "h23", year: "numeric", month: number, day: number },
      ...{ hour: number, minute: number, second: number },
    });
  } catch {
    return undefined; // the name of no zone
  }
}

/** Weeks begin on Monday (ISO 8601); 1970-01-01 was a Thursday. */
function floorWall(wall: WallTime, timeframe: "day" | "week" | "month"): WallTime {
  const day = Math.floor(wall / DAY) * DAY;
  if (timeframe === "day") return day;
  const date = new Date(day);
  if (timeframe === "month") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  return day - ((date.getUTCDay() + 6) % 7) * DAY;
}

function nextWall(start: WallTime, timeframe: "day" | "week" | "month"): WallTime {
  if (timeframe === "day") return start + DAY;
  if (timeframe === "week") return start + 7 * DAY;
  const date = new Date(start);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

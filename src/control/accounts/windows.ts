// The hours, days and months of budgets: of the calendar, in UTC.
import { type Instant, instant } from "../../core/units.ts";

export const WINDOW_NAMES = ["hour", "day", "month"] as const;
export type WindowName = (typeof WINDOW_NAMES)[number];

/** `end` is the next one's `start`. */
export type TimeWindow = { start: Instant; end: Instant };

export const LENGTH_MS = { hour: 3_600_000, day: 86_400_000 } as const;

export function windowAt(at: number, name: WindowName): TimeWindow {
  if (name !== "month") {
    const start = Math.floor(at / LENGTH_MS[name]) * LENGTH_MS[name];
    return { start: instant(start), end: instant(start + LENGTH_MS[name]) };
  }
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { start: instant(Date.UTC(year, month)), end: instant(Date.UTC(year, month + 1)) };
}

// Moments as callers write them in queries of every face: ISO 8601, read alike whatever this machine's own time zone is.
import { type Instant, instant } from "../core/units.ts";

const FORM = /^(\d{4}-\d\d-(\d\d))(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Without an offset it is UTC. A `+` that was not encoded arrives as a space. Undefined for what is no date or time. */
export function readInstant(text: string): Instant | undefined {
  const written = text.replace(/ (?=\d\d:?\d\d$)(?<=T.* )/, "+");
  const [all, date = "", day, offset] = FORM.exec(written) ?? [];
  if (all === undefined) return undefined;
  // The thirtieth of February would be read as the second of March.
  if (new Date(date).getUTCDate() !== Number(day)) return undefined;
  const hasTime = all.length > date.length;
  const at = Date.parse(hasTime && offset === undefined ? `${written.replace(" ", "T")}Z` : written);
  return Number.isNaN(at) ? undefined : instant(at);
}

// Durations as people write them on the command line: 90s, 15m, 12h, 30d, 4w.
import { type Milliseconds, milliseconds } from "../core/units.ts";
import { wrongUsage } from "./failure.ts";

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A hundred years: what is more is a slip, and would lead beyond the dates that there are. */
const LONGEST_MS = 36_500 * 86_400_000;

/** Throws a usage error that names the flag. */
export function parseDuration(text: string, flag: string): Milliseconds {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text.trim()) ?? [];
  const factor = UNIT_MS[unit ?? ""];
  if (factor === undefined || Number(amount) === 0)
    throw wrongUsage(`${flag} ${text}: write a number and a unit such as 90s, 15m, 12h, 30d or 4w.`);
  const duration = Number(amount) * factor;
  if (duration > LONGEST_MS) throw wrongUsage(`${flag} ${text}: it can be 36500d at most.`);
  return milliseconds(duration);
}

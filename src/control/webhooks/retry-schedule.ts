// When a webhook that failed is tried again: a pure rule.
import { type Instant, instant, type Milliseconds, milliseconds } from "../../core/units.ts";

/** fal's number; with waits from 5 s, doubled up to an hour, they span 21 hours: a receiver may be down over night. */
export const MOST_ATTEMPTS = 31;
export const LONGEST_WAIT = milliseconds(60 * 60 * 1000);

/** fal's: the first attempt is cut short so that a slow receiver holds up nobody; later ones are patient. */
export const attemptTimeout = (earlierAttempts: number): Milliseconds =>
  milliseconds(earlierAttempts === 0 ? 15_000 : 120_000);

export type Standing = {
  /** Attempts that failed so far, at least one. */
  attempts: number;
  now: Instant;
  /** Wait before the second attempt. */
  firstWait: Milliseconds;
  /** When the job and its result are removed. */
  endOfLife: Instant;
};

/** Undefined when there is no further attempt. */
export function nextAttempt({ attempts, now, firstWait, endOfLife }: Standing): Instant | undefined {
  if (attempts >= MOST_ATTEMPTS) return undefined;
  const at = instant(now + Math.min(firstWait * 2 ** (attempts - 1), LONGEST_WAIT));
  return at < endOfLife ? at : undefined;
}

// How long a model rests after its runner failed: twice as long each time in a row. Pure.
import type { ErrorCode, Failure } from "../../core/errors.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { BackOff } from "./fleet.ts";

/** Short enough that one unlucky death is hardly noticed, long enough that a broken model costs the box little. */
const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/** `previous` is undefined when the model's last runner did some work. */
export function backOffAfter(
  previous: BackOff | undefined,
  { now, reason }: { now: Instant; reason: Failure },
): BackOff {
  const failures = (previous?.failures ?? 0) + 1;
  const restMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return { until: instant(now + restMs), failures, reason };
}

const BLAMELESS: ReadonlySet<ErrorCode> = new Set(["client_cancelled", "run_timeout"]);

/** Whether the model is to rest after its runner ended so, or only a job was to blame. */
export const isOfModel = (failure: Failure) => !BLAMELESS.has(failure.code);

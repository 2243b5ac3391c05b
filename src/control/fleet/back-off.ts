// How long a model rests after its runner failed: twice as long for each failed start in a row. Pure.
import type { ErrorCode, Failure } from "../../core/errors.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { BackOff } from "./events.ts";

/** Short enough that one unlucky death is hardly noticed, long enough that a broken model costs the box little. */
const FIRST_MS = 500;
const LONGEST_MS = 60_000;
/** A process killed from outside says little about the model, and its jobs have bounded retries. */
const LONGEST_AFTER_KILL_MS = 2_000;

/** `previous` is undefined when the model's last runner came to be ready. */
export function backOffAfter(
  previous: BackOff | undefined,
  { now, reason }: { now: Instant; reason: Failure },
): BackOff {
  const failures = (previous?.failures ?? 0) + 1;
  const longest = isKill(reason) ? LONGEST_AFTER_KILL_MS : LONGEST_MS;
  const restMs = Math.min(longest, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return { until: instant(now + restMs), failures, reason };
}

const KILLS: ReadonlySet<unknown> = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"]);
const isKill = ({ code, details }: Failure) => code === "runner_crashed" && KILLS.has(details?.signal);

const BLAMELESS: ReadonlySet<ErrorCode> = new Set(["client_cancelled", "run_timeout", "device_lost"]);

/** Whether the model is to rest after its runner ended so, or only a job was to blame. */
export const isOfModel = (failure: Failure) => !BLAMELESS.has(failure.code);

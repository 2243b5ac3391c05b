// Whether a job whose attempt was cut short gets another one: a pure rule over what happened to it so far.
import type { Failure } from "../../core/errors.ts";
import type { Wishes } from "../../core/job.ts";

/** Attempts of a job that ended without its doing, by kind. */
export type Setbacks = {
  /** Runner killed from outside: kill -9, out of memory, lost device. */
  kills: number;
  /** Runner fell over a fault of its own, or hung: the input may be the cause. */
  crashes: number;
  /** Server died, or could not write the end. */
  interruptions: number;
  /** The model ended it with an error of its own. */
  errors: number;
  /** It ran too long. */
  timeouts: number;
};

/** What a job was granted: by the box after deaths of its runner, and by the caller's own wish. */
export type Granted = { setbacks: Setbacks; retries: number; wished?: Wishes["retries"] };

/** Asked for or not: attempts cost what others wait for. */
const WISHES_GRANTED = 10;

export type Verdict = { type: "again"; setbacks: Setbacks } | { type: "give-up"; setbacks: Setbacks; failure: Failure };

/** The same input may bring down a runner once; the second time it is to blame, not the model. */
const CRASHES_ALLOWED = 1;
/** Deaths of the server, and of its disk, say little about the job, but a job that always comes with one must end. */
const INTERRUPTIONS_ALLOWED = 10;

/** Signals that a process raises by its own fault; others come from outside. */
const FAULTS = new Set(["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"]);

/** After an attempt failed, or its runner was gone before the job's end. */
export function afterSetback(failure: Failure, { setbacks, retries, wished = {} }: Granted): Verdict {
  const kind = kindOf(failure);
  if (kind === "final") return { type: "give-up", setbacks, failure };
  const counted = { ...setbacks, [kind]: setbacks[kind] + 1 };
  const deaths = wished.connection_error ?? retries;
  const allowed = {
    kills: deaths,
    crashes: Math.min(deaths, CRASHES_ALLOWED),
    errors: wished.server_error ?? 0,
    timeouts: wished.timeout ?? 0,
  };
  if (counted[kind] <= Math.min(allowed[kind], Math.max(retries, WISHES_GRANTED)))
    return { type: "again", setbacks: counted };
  return { type: "give-up", setbacks: counted, failure: explain(failure, counted[kind]) };
}

type Interrupted = { setbacks: Setbacks; retries: number };

/** After the server was gone while the job ran. */
export const afterServerDeath = (job: Interrupted): Verdict =>
  afterInterruption(job, {
    once: "The server ended while this request ran",
    often: (times) => `The server ended ${times} times while this request ran.`,
  });

/** After a job had run and the database did not take its end: each further attempt costs as much, and may come to the same. */
export const afterLostEnd = (job: Interrupted): Verdict =>
  afterInterruption(job, {
    once: "The result of this request could not be written",
    often: (times) => `The result of this request could not be written ${times} times. Is the disk full?`,
  });

type Words = { once: string; often: (times: number) => string };

function afterInterruption({ setbacks, retries }: Interrupted, { once, often }: Words): Verdict {
  const counted = { ...setbacks, interruptions: setbacks.interruptions + 1 };
  if (counted.interruptions <= INTERRUPTIONS_ALLOWED && retries > 0) return { type: "again", setbacks: counted };
  const message = retries === 0 ? `${once}, and it was not to be tried again.` : often(counted.interruptions);
  return { type: "give-up", setbacks: counted, failure: { code: "unavailable", message } };
}

function kindOf({ code, details }: Failure): Exclude<keyof Setbacks, "interruptions"> | "final" {
  if (code === "device_lost") return "kills";
  if (code === "runner_hung") return "crashes";
  if (code === "run_timeout") return "timeouts";
  if (code === "runner_failed" || code === "internal") return "errors";
  if (code !== "runner_crashed") return "final";
  const signal = details?.signal;
  if (typeof signal === "string") return FAULTS.has(signal) ? "crashes" : "kills";
  return "crashes"; // it left with an exit code of its own
}

const explain = (failure: Failure, times: number): Failure =>
  times === 1 ? failure : { ...failure, message: `${failure.message} (${times} attempts ended this way)` };

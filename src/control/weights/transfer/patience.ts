// How long to go on after failures that pass: back-off with jitter, or the wait that the server asked for.
import type { Timers } from "../../../core/clock.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { wait } from "../../../core/wait.ts";

export type PatienceOptions = {
  timers: Timers;
  signal: AbortSignal;
  /** Failures in a row before the last one is thrown. */
  attempts?: number;
  /** In [0, 1); a parameter for tests. */
  random?: () => number;
  onWait?: (wait: Wait) => void;
};

type Wait = { seconds: number; reason: string };

export type Patience = {
  /** Waits before the next attempt; throws the error itself when it will not pass or came too often in a row. */
  afterFailure(error: unknown): Promise<void>;
  /** The last attempt got somewhere: the count of failures begins anew. */
  progressed(): void;
};

/** Ten attempts with these waits last between one and two minutes: a router restarts in that time. */
const MOST_FAILURES = 10;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The Hub counts in windows of 5 minutes (models.md 5); a server that asks for much more is not worth waiting for. */
const LONGEST_ASKED_WAIT_MS = 600_000;

/** A failure that another attempt may not meet; `retryAfterMs` is the server's own wish. */
export const passing = (message: string, more: { cause?: unknown; retryAfterMs?: number } = {}) =>
  new ForecourtError("unavailable", message, {
    cause: more.cause,
    details: {
      reason: more.retryAfterMs === undefined ? "unreachable" : "rate_limited",
      ...(more.retryAfterMs !== undefined && { retryAfterMs: more.retryAfterMs }),
    },
  });

export const isPassing = (error: unknown): error is ForecourtError =>
  error instanceof ForecourtError && error.code === "unavailable";

/** What people are told meanwhile. Some reasons are sentences of this project, some another program's words. */
export const waitText = ({ seconds, reason }: Wait) => `${reason.replace(/\.?$/, ".")} Trying again in ${seconds} s.`;

export function createPatience(options: PatienceOptions): Patience {
  const { timers, signal, attempts = MOST_FAILURES, random = Math.random, onWait } = options;
  let failures = 0;
  return {
    async afterFailure(error) {
      signal.throwIfAborted();
      failures++;
      if (!isPassing(error) || failures >= attempts) throw error;
      const asked = Number(error.details?.retryAfterMs ?? Number.NaN);
      if (asked > LONGEST_ASKED_WAIT_MS) throw error;
      const delay = Number.isNaN(asked) ? backOff(failures, random) : asked;
      onWait?.({ seconds: Math.ceil(delay / 1000), reason: error.message });
      await wait(delay, { timers, signal });
    },
    progressed() {
      failures = 0;
    },
  };
}

/** Half of the exponential step is certain, half is chance, so that eight connections do not return at one instant. */
function backOff(failures: number, random: () => number): number {
  const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  return step / 2 + (step / 2) * random();
}

export async function persist<T>(attempt: () => Promise<T>, options: PatienceOptions): Promise<T> {
  const patience = createPatience(options);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await patience.afterFailure(error);
    }
  }
}

/** The wait that a 429 or 503 asks for: `RateLimit: "...";r=0;t=SECONDS`, or `Retry-After` as seconds or date. */
export function askedWait(headers: Headers, now: number): number | undefined {
  const window = /;\s*t=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1];
  if (window !== undefined) return Number(window) * 1000;
  const after = headers.get("retry-after");
  if (after === null) return undefined;
  if (/^\d+$/.test(after)) return Number(after) * 1000;
  const until = Date.parse(after);
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}

// What could not be reached a moment ago: to find that out takes a minute or two (patience.ts), and not every caller is to wait for it anew.
import { type Clock, steady } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Milliseconds } from "../../core/units.ts";

export type Unreached = {
  note(name: string, error: unknown): void;
  /** Why it could not be reached less than a minute ago. */
  lately(name: string): ForecourtError | undefined;
};

const LATELY_MS = 60_000;

export function createUnreached(clock: Clock): Unreached {
  const failures = new Map<string, { at: Milliseconds; error: ForecourtError }>();
  return {
    note(name, error) {
      if (isUnreachable(error)) failures.set(name, { at: steady(clock), error });
    },
    lately(name) {
      const failure = failures.get(name);
      if (failure && steady(clock) - failure.at < LATELY_MS) return failure.error;
      failures.delete(name);
      return undefined;
    },
  };
}

const isUnreachable = (error: unknown): error is ForecourtError =>
  error instanceof ForecourtError && error.details?.reason === "unreachable";

// What a failed command says and which exit code it ends with.
import { CommanderError } from "commander";
import { type ErrorCode, ForecourtError } from "../core/errors.ts";

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Failures that come from how the command was called. */
const USAGE: readonly ErrorCode[] = ["bad_request", "invalid_input"];

/** For arguments that the command line parser lets through but the command can't use. */
export const wrongUsage = (message: string) => new ForecourtError("bad_request", message);

export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (thrown instanceof ForecourtError && USAGE.includes(thrown.code)) return EXIT.usage;
  return EXIT.failed;
}

/**
 * One sentence for what is expected (our own errors, and the operating system's such as a full disk); with the stack for
 * what is not. Undefined when commander has already said it.
 */
export function explain(thrown: unknown): string | undefined {
  if (thrown instanceof CommanderError) return undefined;
  if (thrown instanceof ForecourtError) return `forecourt: ${thrown.message}`;
  if (!(thrown instanceof Error)) return `forecourt: ${String(thrown)}`;
  if ("code" in thrown && "syscall" in thrown) return `forecourt: ${thrown.message}. ${wayOut(thrown.code)}`;
  return `forecourt: unexpected error, please report it with these lines.\n${thrown.stack ?? thrown.message}`;
}

/** `so`: what is so then. */
export const lostOutput = (cause: Error, so: string) =>
  new ForecourtError(
    "unavailable",
    `the output could not be written (${cause.message}); ${so}. Make room there, or send the output elsewhere.`,
    { cause },
  );

const ANOTHER_PLACE = "Name another place.";
const WAYS_OUT: ReadonlyMap<unknown, string> = new Map([
  ["EACCES", "Use an account that may do that, or name another place."],
  ["EPERM", "Use an account that may do that, or name another place."],
  ["ENOSPC", "Make room on that disk, or name another place."],
  ["EDQUOT", "Make room in that account's quota, or name another place."],
]);
const wayOut = (code: unknown) => WAYS_OUT.get(code) ?? ANOTHER_PLACE;

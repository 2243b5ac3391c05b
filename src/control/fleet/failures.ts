// Why a runner is gone, in words for callers and facts for machines.
import { type Failure, ForecourtError } from "../../core/errors.ts";
import type { DeviceId, ModelId } from "../../core/ids.ts";
import type { Milliseconds } from "../../core/units.ts";
import type { ChildExit } from "./spawn.ts";

/** Enough to see an assertion or a stack; all 200 kept lines are in the server's log. */
const LINES_IN_FAILURE = 20;

/** `details` has either the `signal` that ended it or the `exitCode` that it left with. */
export function crashed(model: ModelId, { code, signal, lastLines }: ChildExit): Failure {
  const how = signal === null ? `left with exit code ${code}` : `was ended by ${signal}${meaningOf(signal)}`;
  return new ForecourtError("runner_crashed", `The runner of ${model} ${how}.`, {
    details: {
      ...(signal === null ? { exitCode: code } : { signal }),
      ...(lastLines.length > 0 && { lastLines: lastLines.slice(-LINES_IN_FAILURE) }),
    },
  }).toFailure();
}

/** After the runner itself said why it cannot go on. */
export const fell = (model: ModelId, fatal: Failure): Failure =>
  fatal.code === "internal"
    ? { code: "runner_crashed", message: `The runner of ${model} failed: ${fatal.message}` }
    : fatal;

/** Without a signal or an exit code: what its job gave it may be the cause. */
export const broken = (model: ModelId, why: string) =>
  new ForecourtError("runner_crashed", `The runner of ${model} was ended, because ${why}.`).toFailure();

function meaningOf(signal: string): string {
  if (signal === "SIGKILL") return " (from outside: no memory left, or by hand)";
  if (signal === "SIGSEGV" || signal === "SIGABRT" || signal === "SIGBUS") return " (a fault in native code)";
  return "";
}

export const notStarted = (model: ModelId, why: string) =>
  new ForecourtError("runner_failed", `The runner of ${model} could not be started: ${why}.`).toFailure();

export const startTimeout = (model: ModelId, limit: Milliseconds) =>
  new ForecourtError("runner_hung", `The runner of ${model} did not load it within ${limit / 1000} s.`).toFailure();

export const hung = (model: ModelId, limit: Milliseconds) =>
  new ForecourtError("runner_hung", `The runner of ${model} gave no sign of life for ${limit / 1000} s.`).toFailure();

export const tooLong = (model: ModelId, limit: Milliseconds) =>
  new ForecourtError("run_timeout", `The run took longer than the ${limit / 1000} s that ${model} allows.`).toFailure();

export const deviceLost = (model: ModelId, device: DeviceId) =>
  new ForecourtError("device_lost", `The device ${device} was lost while it held ${model}.`, {
    details: { device },
  }).toFailure();

export const cancelIgnored = () =>
  new ForecourtError("client_cancelled", "The job was cancelled; its runner did not obey and was ended.").toFailure();

// What went wrong, said once in the log: bugs loudly with their stack, the box's troubles as warnings, callers' mistakes softly.
import { type Failure, toFailure } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { statusOf } from "./failures.ts";

/** Gives back what the caller may be told. */
export type ReportFailure = (thrown: unknown, requestId: string) => Failure;

export const createReport =
  (log: Log): ReportFailure =>
  (thrown, requestId) => {
    const failure = toFailure(thrown);
    const { code, message } = failure;
    const fields = { requestId, code };
    if (code === "internal")
      log.error(message, { ...fields, stack: thrown instanceof Error ? thrown.stack : undefined });
    else if (statusOf(failure) >= 500 && code !== "not_implemented") log.warn(message, fields);
    else log.debug(message, fields);
    return failure;
  };

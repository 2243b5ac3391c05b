// Expected failures: one class, a stable code, a message that says what is wrong and what to do.

/** One wrong field of a request, in the shape that fal's clients read (`detail[]`). */
export type FieldProblem = {
  /** Path from the request's root, first element `body`. */
  loc: (string | number)[];
  msg: string;
  /** Machine-readable kind, from fal's list (fal-protocol.md 8.2) or pydantic's names. */
  type: string;
  /** Bounds that were missed, e.g. `{ ge: 1 }`. */
  ctx?: Record<string, unknown>;
  /** The offending value; long ones are cut. */
  input?: unknown;
};

export const ERROR_CODES = [
  // the caller's doing
  "bad_request",
  "invalid_input",
  "unauthenticated",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "not_implemented",
  "payload_too_large",
  "room_full",
  "queue_full",
  "rate_limited",
  "concurrency_limited",
  "budget_exhausted",
  "client_cancelled",
  "start_timeout",
  "file_download_error",
  // the box's doing
  "model_file_wrong",
  "weights_missing",
  "insufficient_memory",
  "device_lost",
  "runner_crashed",
  "runner_hung",
  "runner_failed",
  "run_timeout",
  "unavailable",
  "misconfigured",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What remains of an error when it is stored or crosses a process border. */
export type Failure = {
  code: ErrorCode;
  message: string;
  problems?: FieldProblem[];
  /** Facts for machines (which limit, which device...); never secrets. */
  details?: Record<string, unknown>;
};

export class ForecourtError extends Error {
  readonly code: ErrorCode;
  readonly problems: FieldProblem[] | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { problems?: FieldProblem[]; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "ForecourtError";
    this.code = code;
    this.problems = more.problems;
    this.details = more.details;
  }

  toFailure(): Failure {
    return {
      code: this.code,
      message: this.message,
      ...(this.problems && { problems: this.problems }),
      ...(this.details && { details: this.details }),
    };
  }

  static from({ code, message, ...more }: Failure): ForecourtError {
    return new ForecourtError(code, message, more);
  }
}

/** Any thrown value as a Failure; what is not a ForecourtError is a bug and becomes `internal`. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof ForecourtError) return thrown.toFailure();
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal", message };
}

/** For states that cannot be reached unless the code is wrong. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant violated: ${message}`);
}

/** Closes a `switch` over a union: a missing case is a type error. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}

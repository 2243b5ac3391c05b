// What went wrong, in fal's words: each error code's HTTP status, error type, body and headers (fal-protocol.md 8).
import type { ErrorCode, Failure, FieldProblem } from "../core/errors.ts";
import { failureHeaders } from "./failure-headers.ts";

type Answer = {
  status: number;
  /** fal's name of a failure outside the model (8.3); without one the body is `{detail}` alone. */
  type?: string;
  /** The same request may succeed if it is sent again. */
  isRetryable?: true;
  /** Tells the caller nothing beyond `detail`: what broke is in the server's log. */
  isPrivate?: true;
};

/** 408, 409 and 429 are retried by clients: only what passes by itself (a full queue, a rate) has one of them. */
const answers = {
  bad_request: { status: 400, type: "bad_request" },
  invalid_input: { status: 422 },
  unauthenticated: { status: 401 },
  forbidden: { status: 403 },
  not_found: { status: 404 },
  method_not_allowed: { status: 405 },
  not_implemented: { status: 501 },
  payload_too_large: { status: 413 },
  room_full: { status: 413 },
  rate_limited: { status: 429, type: "rate_limit_exceeded", isRetryable: true },
  concurrency_limited: { status: 429, type: "concurrent_requests_limit", isRetryable: true },
  budget_exhausted: { status: 403 },
  queue_full: { status: 429, type: "concurrent_requests_limit", isRetryable: true },
  client_cancelled: { status: 499, type: "client_cancelled" },
  start_timeout: { status: 504, type: "request_timeout" },
  file_download_error: { status: 422 },
  model_file_wrong: { status: 503, type: "runner_scheduling_failure" },
  weights_missing: { status: 503, type: "runner_scheduling_failure" },
  insufficient_memory: { status: 503, type: "runner_scheduling_failure" },
  device_lost: { status: 503, type: "runner_connection_error" },
  runner_crashed: { status: 503, type: "runner_disconnected", isRetryable: true },
  runner_hung: { status: 503, type: "runner_connection_timeout", isRetryable: true },
  runner_failed: { status: 500, type: "runner_server_error" },
  run_timeout: { status: 504, type: "request_timeout" },
  unavailable: { status: 503, type: "runner_scheduling_failure", isRetryable: true },
  misconfigured: { status: 500, type: "internal_error" },
  internal: { status: 500, type: "internal_error", isPrivate: true },
} as const satisfies Record<ErrorCode, Answer>;

const answerTo = (code: ErrorCode): Answer => answers[code];

/** Codes that are answered with a status of this range. */
export const codesWithStatus = (from: number, before: number) =>
  (Object.keys(answers) as ErrorCode[]).filter((code) => answers[code].status >= from && answers[code].status < before);

export const statusOf = ({ code }: Failure) => answerTo(code).status;

/** The pair that a finished job's status carries. */
export const errorOf = (failure: Failure) => ({
  error: messageOf(failure),
  error_type: answerTo(failure.code).type ?? failure.code,
});

/** `requestId` is left out where no job exists; the border adds one. */
export function failureResponse(failure: Failure, requestId?: string): Response {
  const { status } = answerTo(failure.code);
  return Response.json(failureBody(failure), { status, headers: headersOf(failure, requestId) });
}

export function failureBody(failure: Failure): Record<string, unknown> {
  if (statusOf(failure) === 422) return { detail: problemsOf(failure).map(withUrl) };
  const { type } = answerTo(failure.code);
  return { detail: messageOf(failure), ...(type && { error_type: type }) };
}

function problemsOf({ code, message, problems = [] }: Failure): FieldProblem[] {
  if (problems.length > 0) return problems;
  return [{ loc: ["body"], msg: message, type: code === "invalid_input" ? "value_error" : code }];
}

const withUrl = (problem: FieldProblem) => ({ ...problem, url: `https://docs.fal.ai/errors#${problem.type}` });

/** What the caller may be told. */
export const messageOf = ({ code, message }: Failure) =>
  answerTo(code).isPrivate ? "Internal error. The server's log says more under this request's id." : message;

function headersOf(failure: Failure, requestId: string | undefined): Record<string, string> {
  const { code } = failure;
  const { type, isRetryable = false } = answerTo(code);
  return {
    ...(requestId !== undefined && { "x-fal-request-id": requestId }),
    "x-fal-billable-units": "0",
    "x-fal-needs-retry": isRetryable ? "1" : "0",
    "x-fal-retryable": String(isRetryable),
    ...(type && { "x-fal-error-type": type }),
    ...(code === "start_timeout" && { "x-fal-request-timeout-type": "user" }),
    ...(code === "unauthenticated" && { "www-authenticate": 'Key realm="forecourt", Bearer realm="forecourt"' }),
    ...failureHeaders(failure),
  };
}

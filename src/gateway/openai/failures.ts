// What went wrong, in OpenAI's words: status, type and code of each error, as its clients sort them.
import type { ErrorCode, Failure } from "../../core/errors.ts";
import { failureHeaders } from "../failure-headers.ts";
import { messageOf } from "../failures.ts";
import { REQUEST_ID } from "../request-id.ts";

type Answer = {
  status: number;
  type:
    | "invalid_request_error"
    | "authentication_error"
    | "permission_error"
    | "rate_limit_error"
    /** OpenAI's own words for its limits: of requests in a minute, and of what a caller may have. */
    | "requests"
    | "insufficient_quota"
    | "server_error";
  code: string;
  /** Clients try 408, 409, 429 and 5xx again unless they are told not to. */
  isFinal?: true;
};

const wrong = (status: number, code: string): Answer => ({
  status,
  type: "invalid_request_error",
  code,
  isFinal: true,
});
const busy = (code: string, type: Answer["type"] = "rate_limit_error"): Answer => ({ status: 429, type, code });
const broken = (status: number, code: string): Answer => ({ status, type: "server_error", code });

const answers: Record<ErrorCode, Answer> = {
  bad_request: wrong(400, "bad_request"),
  invalid_input: wrong(400, "invalid_value"),
  unauthenticated: { status: 401, type: "authentication_error", code: "invalid_api_key", isFinal: true },
  forbidden: { status: 403, type: "permission_error", code: "permission_denied", isFinal: true },
  not_found: wrong(404, "not_found"),
  method_not_allowed: wrong(405, "method_not_supported"),
  not_implemented: wrong(501, "not_implemented"),
  payload_too_large: wrong(413, "request_too_large"),
  room_full: { ...busy("room_full", "insufficient_quota"), isFinal: true },
  rate_limited: busy("rate_limit_exceeded", "requests"),
  concurrency_limited: busy("concurrency_limit_exceeded"),
  queue_full: busy("queue_full"),
  budget_exhausted: { ...busy("insufficient_quota", "insufficient_quota"), isFinal: true },
  client_cancelled: wrong(499, "client_cancelled"),
  start_timeout: broken(504, "start_timeout"),
  file_download_error: wrong(400, "invalid_image_url"),
  model_file_wrong: { ...broken(503, "model_file_wrong"), isFinal: true },
  weights_missing: broken(503, "model_not_ready"),
  insufficient_memory: broken(503, "insufficient_memory"),
  device_lost: broken(503, "device_lost"),
  runner_crashed: broken(503, "runner_crashed"),
  runner_hung: broken(503, "runner_hung"),
  runner_failed: { ...broken(500, "runner_failed"), isFinal: true },
  run_timeout: { ...broken(504, "run_timeout"), isFinal: true },
  unavailable: broken(503, "unavailable"),
  misconfigured: { ...broken(500, "misconfigured"), isFinal: true },
  internal: broken(500, "internal_error"),
};

/** `requestId` is left out where no job exists; the border adds one. */
export function openAiFailure(failure: Failure, requestId?: string): Response {
  const { status, isFinal } = answers[failure.code];
  return Response.json(openAiFailureBody(failure), {
    status,
    headers: {
      ...(requestId !== undefined && { [REQUEST_ID]: requestId }),
      ...(isFinal && status >= 429 && { "x-should-retry": "false" }),
      ...(failure.code === "unauthenticated" && { "www-authenticate": 'Bearer realm="forecourt"' }),
      ...failureHeaders(failure),
    },
  });
}

export function openAiFailureBody(failure: Failure) {
  const { type, code } = answers[failure.code];
  const [problem] = failure.problems ?? [];
  return {
    error: {
      message: messageOf(failure),
      type,
      param: problem ? paramOf(problem.loc) : null,
      code: failure.code === "invalid_input" ? codeOf(problem?.type, code) : (failure.details?.code ?? code),
    },
  };
}

/** `messages[0].role` of `["body", "messages", 0, "role"]`, and `body` where that is wrong as a whole. */
function paramOf([root = "body", ...path]: (string | number)[]): string {
  if (path.length === 0) return String(root);
  return path.map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`)).join("");
}

/** Clients look for these two; of other problems the message says all. */
function codeOf(type: string | undefined, code: string): string {
  if (type === "context_length_exceeded") return type;
  return type === "missing" ? "missing_required_parameter" : code;
}

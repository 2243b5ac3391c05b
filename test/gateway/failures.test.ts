import { describe, expect, test } from "bun:test";
import type { ErrorCode, Failure } from "../../src/core/errors.ts";
import { errorOf, failureResponse } from "../../src/gateway/failures.ts";

/** Status, fal's error type, and whether the same request may succeed later (fal-protocol.md 8). */
const table = {
  bad_request: [400, "bad_request", false],
  invalid_input: [422, null, false],
  unauthenticated: [401, null, false],
  forbidden: [403, null, false],
  not_found: [404, null, false],
  method_not_allowed: [405, null, false],
  not_implemented: [501, null, false],
  payload_too_large: [413, null, false],
  room_full: [413, null, false],
  rate_limited: [429, "rate_limit_exceeded", true],
  concurrency_limited: [429, "concurrent_requests_limit", true],
  budget_exhausted: [403, null, false],
  queue_full: [429, "concurrent_requests_limit", true],
  client_cancelled: [499, "client_cancelled", false],
  start_timeout: [504, "request_timeout", false],
  file_download_error: [422, null, false],
  model_file_wrong: [503, "runner_scheduling_failure", false],
  weights_missing: [503, "runner_scheduling_failure", false],
  insufficient_memory: [503, "runner_scheduling_failure", false],
  device_lost: [503, "runner_connection_error", false],
  runner_crashed: [503, "runner_disconnected", true],
  runner_hung: [503, "runner_connection_timeout", true],
  runner_failed: [500, "runner_server_error", false],
  run_timeout: [504, "request_timeout", false],
  unavailable: [503, "runner_scheduling_failure", true],
  misconfigured: [500, "internal_error", false],
  internal: [500, "internal_error", false],
} satisfies Record<ErrorCode, [number, string | null, boolean]>;

const codes = Object.entries(table) as [ErrorCode, [number, string | null, boolean]][];
const failure = (code: ErrorCode, more: Partial<Failure> = {}): Failure => ({
  code,
  message: "It went wrong.",
  ...more,
});

describe("a failure as fal tells it", () => {
  test.each(codes)("%s has its status, error type and retry headers", async (code, [status, type, isRetryable]) => {
    const response = failureResponse(failure(code), "the-id");
    expect(response.status).toBe(status);
    expect(response.headers.get("x-fal-error-type")).toBe(type);
    expect(response.headers.get("x-fal-needs-retry")).toBe(isRetryable ? "1" : "0");
    expect(response.headers.get("x-fal-retryable")).toBe(String(isRetryable));
    expect(response.headers.get("x-fal-request-id")).toBe("the-id");
    expect(response.headers.get("x-fal-billable-units")).toBe("0");
  });

  test("statuses that clients retry for ever stand for nothing permanent", () => {
    const permanent = codes.filter(([, [, , isRetryable]]) => !isRetryable);
    const statuses = permanent.map(([code]) => failureResponse(failure(code)).status);
    expect(statuses.filter((status) => [408, 409, 429].includes(status))).toEqual([]);
  });

  test("a request-level failure is a sentence and a type", async () => {
    const body = await failureResponse(failure("runner_crashed")).json();
    expect(body).toEqual({ detail: "It went wrong.", error_type: "runner_disconnected" });
  });

  test("wrong input lists each field with fal's documentation of its kind", async () => {
    const problem = { loc: ["body", "steps"], msg: "Too small", type: "greater_than_equal", ctx: { ge: 1 }, input: 0 };
    const body = await failureResponse(failure("invalid_input", { problems: [problem] })).json();
    expect(body).toEqual({ detail: [{ ...problem, url: "https://docs.fal.ai/errors#greater_than_equal" }] });
  });

  test("wrong input without fields is still a list, named by its code", async () => {
    const body = await failureResponse(failure("file_download_error")).json();
    expect(body.detail).toMatchObject([{ loc: ["body"], msg: "It went wrong.", type: "file_download_error" }]);
  });

  test("what broke inside stays inside", async () => {
    const body = await failureResponse(failure("internal", { message: "secret path /x" })).text();
    expect(body).not.toContain("secret");
    expect(errorOf(failure("internal", { message: "secret path /x" })).error).not.toContain("secret");
  });

  test("a start that came too late is marked as the caller's own timeout", () => {
    expect(failureResponse(failure("start_timeout")).headers.get("x-fal-request-timeout-type")).toBe("user");
    expect(failureResponse(failure("run_timeout")).headers.has("x-fal-request-timeout-type")).toBe(false);
  });

  test("a wrong method says which are right", () => {
    const details = { allow: ["GET", "PUT"] };
    expect(failureResponse(failure("method_not_allowed", { details })).headers.get("allow")).toBe("GET, PUT");
  });
});

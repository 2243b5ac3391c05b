// What went wrong, in the platform API's shape: {"error": {"type", "message", "request_id"}}.
import type { Failure } from "../../core/errors.ts";
import { messageOf, statusOf } from "../failures.ts";

const TYPES: Record<number, string> = {
  401: "authorization_error",
  403: "authorization_error",
  404: "not_found",
  405: "validation_error",
  413: "validation_error",
  422: "validation_error",
  429: "rate_limited",
  501: "not_implemented",
};

/** This API knows no 422: wrong input is a 400. */
export function platformFailure(failure: Failure, requestId: string): Response {
  const status = statusOf(failure);
  const type = TYPES[status] ?? (status < 500 ? "validation_error" : "server_error");
  const error = { type, message: messageOf(failure), request_id: requestId };
  const allow = failure.details?.allow;
  return Response.json(
    { error },
    {
      status: status === 422 ? 400 : status,
      headers: {
        "x-fal-request-id": requestId,
        ...(status === 401 && { "www-authenticate": 'Key realm="forecourt", Bearer realm="forecourt"' }),
        ...(Array.isArray(allow) && { allow: allow.join(", ") }),
      },
    },
  );
}

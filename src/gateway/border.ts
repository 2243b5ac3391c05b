// What every answer passes on its way out: failures in fal's words, a request id, and leave for web pages to read it.
import { ForecourtError } from "../core/errors.ts";
import { createCors } from "./cors.ts";
import { failureResponse } from "./failures.ts";
import type { ReportFailure } from "./report.ts";
import { ensureRequestId, newRequestId } from "./request-id.ts";
import { type Route, routeFailure } from "./route-failure.ts";

export type BorderParts = { allowOrigins: readonly string[]; report: ReportFailure; routes: () => Route[] };

/** `code` is the router's, `error` what was thrown. */
type Thrown = { code: unknown; error: unknown };

export function createBorder({ allowOrigins, report, routes }: BorderParts) {
  const cors = createCors({ origins: allowOrigins });
  return {
    preflight: cors.preflight,

    failure(request: Request, thrown: Thrown): Response {
      const id = newRequestId();
      return failureResponse(report(causeOf(request, thrown, routes), id), id);
    },

    /** Marks the answer in place; what is no answer (an upgraded connection) passes as it is. */
    leave(request: Request, response: unknown): unknown {
      if (response instanceof Response) {
        cors.open(request, response);
        ensureRequestId(response);
      }
      return response;
    },
  };
}

/** A request whose client is gone fails in many ways that are nobody's fault. */
function causeOf(request: Request, { code, error }: Thrown, routes: () => Route[]): unknown {
  if (request.signal.aborted) return new ForecourtError("client_cancelled", "The caller left.", { cause: error });
  return code === "NOT_FOUND" ? routeFailure(request, routes()) : error;
}

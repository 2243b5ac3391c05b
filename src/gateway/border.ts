// What every answer passes on its way out: failures in fal's words, a request id, and leave for web pages to read it.

import type { Metrics } from "../control/metrics/metrics.ts";
import { ForecourtError } from "../core/errors.ts";
import type { AuditTrail } from "./audit.ts";
import { createCors } from "./cors.ts";
import { failureResponse } from "./failures.ts";
import type { ReportFailure } from "./report.ts";
import { ensureRequestId, newRequestId } from "./request-id.ts";
import { type Route, routeFailure } from "./route-failure.ts";

export type BorderParts = {
  allowOrigins: readonly string[];
  report: ReportFailure;
  trail: AuditTrail;
  metrics: Pick<Metrics, "answered">;
  /** Of the peer; undefined when the app is called without a server. */
  addressOf: (request: Request) => string | undefined;
  routes: () => Route[];
};

/** `code` is the router's, `error` what was thrown. */
type Thrown = { code: unknown; error: unknown };

export function createBorder({ allowOrigins, report, trail, metrics, addressOf, routes }: BorderParts) {
  const cors = createCors({ origins: allowOrigins });
  return {
    preflight: cors.preflight,

    failure(request: Request, thrown: Thrown): Response {
      const id = newRequestId();
      return failureResponse(report(causeOf(request, thrown, routes), id), id);
    },

    /** Marks the answer in place; what is no answer (an upgraded connection) passes as it is. */
    async leave(request: Request, response: unknown): Promise<unknown> {
      if (!(response instanceof Response)) return response;
      cors.open(request, response);
      shield(response);
      ensureRequestId(response);
      metrics.answered({ face: faceOf(request.url), method: methodOf(request), status: response.status });
      if (trail.isAct(request)) await trail.note(request, response, addressOf(request));
      return response;
    },
  };
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const methodOf = ({ method }: Request) => (METHODS.has(method) ? method : "other");

/** Answers are data, not pages; those that are pages bring a policy of their own. */
function shield({ headers }: Response): void {
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  if (!headers.has("content-security-policy"))
    headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
}

/** Paths are many, their first parts few. */
function faceOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const part = /^\/([a-z0-9.]+)/.exec(start < 0 ? "" : url.slice(start, start + 20))?.[1] ?? "";
  return FACES.has(part) ? part : "other";
}

const FACES = new Set(
  "run queue rest cdn files fal platform v1 admin swagger models metrics health ready .well-known".split(" "),
);

/** A request whose client is gone fails in many ways that are nobody's fault. */
function causeOf(request: Request, { code, error }: Thrown, routes: () => Route[]): unknown {
  if (request.signal.aborted) return new ForecourtError("client_cancelled", "The caller left.", { cause: error });
  return code === "NOT_FOUND" ? routeFailure(request, routes()) : error;
}

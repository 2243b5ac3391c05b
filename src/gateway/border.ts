// What every answer passes on its way out: failures in fal's words, a request id, and leave for web pages to read it.

import { ForecourtError } from "../core/errors.ts";
import { type AuditTrail, isAct } from "./audit.ts";
import { createCors } from "./cors.ts";
import { failureResponse } from "./failures.ts";
import { isHead, withoutBody } from "./head.ts";
import type { Observe } from "./observe.ts";
import { openAiFailure } from "./openai/failures.ts";
import { isOpenAiPath } from "./openai/root.ts";
import type { ReportFailure } from "./report.ts";
import { ensureRequestId, newRequestId, REQUEST_ID } from "./request-id.ts";
import { type Route, routeFailure } from "./route-failure.ts";

export type BorderParts = {
  allowOrigins: readonly string[];
  report: ReportFailure;
  trail: AuditTrail;
  observe: Observe;
  /** Of the peer; undefined when the app is called without a server. */
  addressOf: (request: Request) => string | undefined;
  routes: () => Route[];
};

/** `code` is the router's, `error` what was thrown. */
type Thrown = { code: unknown; error: unknown };

export function createBorder({ allowOrigins, report, trail, observe, addressOf, routes }: BorderParts) {
  const cors = createCors({ origins: allowOrigins });
  return {
    preflight: cors.preflight,

    failure(request: Request, thrown: Thrown): Response {
      const id = newRequestId();
      const failure = report(causeOf(request, thrown, routes), id);
      return isOpenAi(request) ? openAiFailure(failure, id) : failureResponse(failure, id);
    },

    /** Marks the answer; what is none (an upgraded connection) passes as it is. */
    async leave(request: Request, response: unknown, startedAt: number): Promise<unknown> {
      if (!(response instanceof Response)) return response;
      cors.open(request, response);
      shield(response);
      ensureRequestId(response);
      if (isOpenAi(request)) response.headers.set("x-request-id", response.headers.get(REQUEST_ID) ?? "");
      observe(request, response, startedAt);
      if (isAct(request)) await trail.note(request, response, addressOf(request));
      return isHead(request) ? await withoutBody(response) : response;
    },
  };
}

function isOpenAi({ url }: Request): boolean {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  return path >= 0 && isOpenAiPath(url, path);
}

/** Answers are data, not pages; those that are pages bring a policy of their own. */
function shield({ headers }: Response): void {
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  if (!headers.has("content-security-policy"))
    headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
}

/** A request whose client is gone fails in many ways that are nobody's fault. */
function causeOf(request: Request, { code, error }: Thrown, routes: () => Route[]): unknown {
  if (request.signal.aborted) return new ForecourtError("client_cancelled", "The caller left.", { cause: error });
  return code === "NOT_FOUND" ? routeFailure(request, routes()) : error;
}

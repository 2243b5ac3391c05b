// Each answer as the metrics, the traces and the log see it: by method, first part of the path, and status.
import type { Metrics } from "../control/metrics/metrics.ts";
import type { Tracing } from "../control/tracing/tracing.ts";
import type { Log } from "../core/log.ts";
import { faceOfHost } from "./fal/proxy.ts";
import { methodOf } from "./head.ts";
import { hostOf } from "./origin.ts";
import { REQUEST_ID } from "./request-id.ts";

/** `startedAt` in milliseconds since the epoch. Costs microseconds: it is called for every answer. */
export type Observe = (request: Request, response: Response, startedAt: number) => void;

export type ObserveParts = {
  metrics: Pick<Metrics, "answered">;
  tracing: Pick<Tracing, "isOn" | "answered">;
  log: Log;
  isDebugging: boolean;
};

export function createObserve({ metrics, tracing, log, isDebugging }: ObserveParts): Observe {
  return (request, { status, headers }, startedAt) => {
    const asked = methodOf(request);
    const method = METHODS.has(asked) ? asked : "other";
    const face = faceOf(request.url);
    metrics.answered({ face, method, status });
    if (!tracing.isOn && !isDebugging) return;
    const requestId = headers.get(REQUEST_ID) ?? "";
    const endedAt = Date.now();
    const path = pathOf(request.url, face);
    if (isDebugging) log.debug("answered", { requestId, method, path, status, ms: endedAt - startedAt });
    const traceparent = request.headers.get("traceparent");
    if (tracing.isOn)
      tracing.answered({
        method,
        path,
        status,
        startedAt,
        endedAt,
        requestId,
        ...(traceparent !== null && { traceparent }),
      });
  };
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const FACES = new Set(
  "run queue rest cdn files fal api platform mcp v1 admin swagger models metrics health ready .well-known".split(" "),
);

/** Without the query, which may hold tokens, and without names of files, which whoever knows them may read. */
function pathOf(url: string, face: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const path = start < 0 ? "/" : url.slice(start).replace(/[?#].*$/s, "");
  return face === "files" || face === "cdn" ? path.replace(/^(\/files|\/cdn)?.*$/s, "$1/...") : path;
}

/** Paths are many, their first parts few. By fal's host names the face is the host's, whose paths begin with models. */
function faceOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const part = /^\/([a-z0-9.]+)/.exec(start < 0 ? "" : url.slice(start, start + 20))?.[1] ?? "";
  const ofHost = part === "files" || part === ".well-known" ? undefined : faceOfHost(hostOf(url));
  return ofHost ?? (FACES.has(part) ? part : "other");
}

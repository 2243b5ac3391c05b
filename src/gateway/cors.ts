// Lets pages of other origins call with their key: no cookies are used here, so an origin alone gives no rights.

const EXPOSED = [
  "x-fal-request-id",
  "x-request-id",
  "x-should-retry",
  "x-fal-billable-units",
  "x-fal-error-type",
  "x-fal-needs-retry",
  "x-fal-retryable",
  "x-fal-request-timeout-type",
  "x-fal-served-from",
  "retry-after",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
  "x-forecourt-budget-limit",
  "x-forecourt-budget-remaining",
  "x-forecourt-budget-reset",
  "x-forecourt-budget-exceeded",
  "x-forecourt-cost",
  "x-forecourt-device",
  "x-forecourt-dtype",
  "x-forecourt-timing",
  "content-range",
  "etag",
  "link",
  "last-modified",
].join(", ");

const A_DAY_IN_SECONDS = "86400";

export type Cors = {
  /** Marks an answer in place. */
  open(request: Request, response: Response): void;
  /** The answer to a browser's question before a call; undefined for all other requests. */
  preflight(request: Request): Response | undefined;
};

/** `origins`: those that may call, `*` for all, none to forbid. */
export function createCors({ origins }: { origins: readonly string[] }): Cors {
  const allowedFor = (request: Request): string | undefined => {
    if (origins.includes("*")) return "*";
    const origin = request.headers.get("origin");
    return origin !== null && origins.includes(origin) ? origin : undefined;
  };
  const open = (request: Request, { headers }: Response) => {
    const allowed = allowedFor(request);
    if (allowed !== undefined) {
      headers.set("access-control-allow-origin", allowed);
      headers.set("access-control-expose-headers", EXPOSED);
    }
    if (!origins.includes("*")) headers.append("vary", "Origin");
  };
  return {
    open,
    preflight(request) {
      if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return undefined;
      const response = new Response(null, { status: 204 });
      if (allowedFor(request) === undefined) return response;
      response.headers.set("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
      response.headers.set(
        "access-control-allow-headers",
        request.headers.get("access-control-request-headers") ?? "authorization, content-type",
      );
      response.headers.set("access-control-max-age", A_DAY_IN_SECONDS);
      return response;
    },
  };
}

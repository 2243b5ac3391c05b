// fal's proxy protocol: the real URL comes in a header; its host says which face is meant, and nothing is forwarded.
import { ForecourtError } from "../../core/errors.ts";

export const TARGET_URL = "x-fal-target-url";

export type FaceName = "run" | "queue" | "rest" | "mcp" | "openai" | OpenFaceName;
/** Faces that look at keys themselves. */
export type OpenFaceName = "cdn" | "platform";

/** What the URLs of files begin with when a caller came by one of fal's other names. */
export const CDN_HOST = "v3.fal.media";

/** fal's host names that are faces of this box, however deep its DNS hides it. */
const hosts: ReadonlyMap<string, FaceName> = new Map([
  ["fal.run", "run"],
  ["queue.fal.run", "queue"],
  ["rest.fal.ai", "rest"],
  ["rest.alpha.fal.ai", "rest"],
  [CDN_HOST, "cdn"],
  ["v3b.fal.media", "cdn"],
  ["fal.media", "cdn"],
  ["api.fal.ai", "platform"],
  ["mcp.fal.ai", "mcp"],
]);

/** All of fal's host names that clients call, those included that this box has no face for yet. */
export const FAL_HOSTS: readonly string[] = [...hosts.keys(), "ws.fal.run"];

export type Target = { face: FaceName; path: string; query: URLSearchParams };

/** Undefined for a host that is none of fal's. */
export const faceOfHost = (host: string): FaceName | undefined => hosts.get(host);

/** Throws `bad_request` without a usable header and `not_found` for a host that this box does not stand in for. */
export function targetOf(header: string | null): Target {
  if (header === null || !URL.canParse(header))
    throw new ForecourtError("bad_request", `Send the URL to call in the header ${TARGET_URL}.`);
  const url = new URL(header);
  const face = faceOfHost(url.hostname);
  if (face) return { face, path: trimSlashes(url.pathname), query: url.searchParams };
  throw new ForecourtError(
    "not_found",
    `${url.hostname.slice(0, 100)} is not served here. Known are ${[...hosts.keys()].join(", ")}.`,
  );
}

export const trimSlashes = (path: string) => path.replace(/^\/+|\/+$/g, "");

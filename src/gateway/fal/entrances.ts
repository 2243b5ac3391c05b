// The three ways into fal's faces: below a path of this box, through the proxy route, and by fal's own host names.
import type { Key } from "../../control/keys/keys.ts";
import type { Authenticate } from "../authenticate.ts";
import { hostOf, originOf } from "../origin.ts";
import { type Call, type Face, rootsOf } from "./call.ts";
import { type FaceName, faceOfHost, TARGET_URL, targetOf, trimSlashes } from "./proxy.ts";

/** The part of Bun's server that a call needs; absent when the app is called without one. */
type Connection = { timeout(request: Request, seconds: number): void } | null;

export type Incoming = { request: Request; server: Connection; caller: Key };

export type EntranceParts = {
  faces: Record<FaceName, Face>;
  authenticate: Authenticate;
  publicUrl: string;
};

export function createEntrances({ faces, authenticate, publicUrl }: EntranceParts) {
  const callOf = ({ request, server, caller }: Incoming, path: string, query: URLSearchParams): Call => ({
    request,
    caller,
    path: trimSlashes(path),
    query,
    roots: rootsOf(originOf(request, publicUrl)),
    waitForever: () => server?.timeout(request, 0),
  });
  return {
    /** `path` is what follows the face's own path. */
    byPath: (face: FaceName, incoming: Incoming, path: string) =>
      faces[face](callOf(incoming, path, queryOf(incoming.request.url))),

    /** Throws `bad_request` and `not_found` for headers that name no face. */
    byProxy(incoming: Incoming) {
      const { face, path, query } = targetOf(incoming.request.headers.get(TARGET_URL));
      return faces[face](callOf(incoming, path, query));
    },

    /** Undefined for requests to other hosts. Files are everywhere at the same place. Throws `unauthenticated`. */
    byHost(request: Request, server: Connection): Promise<Response> | undefined {
      const face = faceOfHost(hostOf(request.url));
      if (face === undefined) return undefined;
      const { pathname, searchParams } = new URL(request.url);
      if (pathname.startsWith("/files/")) return undefined;
      const call = callOf({ request, server, caller: authenticate(request) }, pathname, searchParams);
      if (face !== "queue") return faces[face](call);
      return faces.queue({ ...call, roots: { ...call.roots, queue: originOf(request, "") } });
    },
  };
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
}

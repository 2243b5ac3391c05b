// The three ways into fal's faces: below a path of this box, through the proxy route, and by fal's own host names.
import type { Key } from "../../control/keys/key.ts";
import type { Authenticate } from "../authenticate.ts";
import { KEY_SET_PATH } from "../key-sets.ts";
import { hostOf, originOf, urlOf } from "../origin.ts";
import { type Call, type Face, type OpenFace, type Roots, rootsOf, type Visit } from "./call.ts";
import { CDN_HOST, type FaceName, faceOfHost, type OpenFaceName, TARGET_URL, targetOf, trimSlashes } from "./proxy.ts";

/** The part of Bun's server that a call needs; absent when the app is called without one. */
type Connection = { timeout(request: Request, seconds: number): void } | null;

export type Incoming = { request: Request; server: Connection; caller: Key };

export type EntranceParts = {
  faces: Record<Exclude<FaceName, OpenFaceName>, Face> & Record<OpenFaceName, OpenFace>;
  authenticate: Authenticate;
  publicUrl: string;
};

export function createEntrances({ faces, authenticate, publicUrl }: EntranceParts) {
  const visitOf = ({ request, server }: Omit<Incoming, "caller">, path: string, query: URLSearchParams): Visit => ({
    request,
    path: trimSlashes(path),
    query,
    roots: rootsOf(originOf(request, publicUrl)),
    waitForever: () => server?.timeout(request, 0),
  });
  const callOf = ({ caller, ...visit }: Incoming, path: string, query: URLSearchParams): Call => ({
    ...visitOf(visit, path, query),
    caller,
  });
  /** fal's host names stay among themselves, unless the operator said how this box is reached. */
  const rootsByHost = (request: Request, face: FaceName): Roots => {
    const here = originOf(request, "");
    const roots = rootsOf(originOf(request, publicUrl));
    const cdn = publicUrl === "" ? (face === "cdn" ? here : here.replace(/\/\/[^/:]+/, `//${CDN_HOST}`)) : roots.cdn;
    return { ...roots, cdn, ...(face === "queue" && { queue: here }) };
  };
  return {
    /** `path` is what follows the face's own path. */
    byPath: (face: Exclude<FaceName, OpenFaceName>, incoming: Incoming, path: string) =>
      faces[face](callOf(incoming, path, queryOf(incoming.request.url))),

    /** The same for a face that looks at keys itself. */
    openPath: (face: OpenFaceName, incoming: Omit<Incoming, "caller">, path: string) =>
      faces[face](visitOf(incoming, path, queryOf(incoming.request.url))),

    /** Throws `bad_request` and `not_found` for headers that name no face. */
    byProxy(incoming: Incoming) {
      const { face, path, query } = targetOf(incoming.request.headers.get(TARGET_URL));
      return faces[face](callOf(incoming, path, query));
    },

    /** Undefined for other hosts, and for what is at the same place on all: files, public keys. Throws `unauthenticated`. */
    byHost(request: Request, server: Connection): Promise<Response> | undefined {
      const face = faceOfHost(hostOf(request.url));
      if (face === undefined) return undefined;
      const { pathname, searchParams } = urlOf(request);
      if (pathname.startsWith("/files/") && face !== "cdn") return undefined;
      if (pathname === KEY_SET_PATH && face === "rest") return undefined;
      const roots = rootsByHost(request, face);
      const visit = { ...visitOf({ request, server }, pathname, searchParams), roots };
      if (face === "cdn" || face === "platform") return faces[face](visit);
      return faces[face]({ ...visit, caller: authenticate(request) });
    },
  };
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
}

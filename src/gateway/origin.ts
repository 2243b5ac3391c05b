// How the caller reached this box, so that the URLs in its answer lead back the same way.
import { ForecourtError } from "../core/errors.ts";

const FORWARDED_HOST = "x-forwarded-host";
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * `https://host[:port]` without a slash at its end. `publicUrl` (the operator's word) comes first, then what a reverse
 * proxy forwards, then the request itself. A caller that lies about them gets wrong URLs in its own answer, no more.
 */
export function originOf(request: Request, publicUrl: string): string {
  if (publicUrl !== "") return publicUrl;
  const { protocol, host } = split(request.url);
  const forwardedHost = first(request.headers.get(FORWARDED_HOST));
  const forwardedProtocol = first(request.headers.get("x-forwarded-proto"));
  const isKnownProtocol = forwardedProtocol === "http" || forwardedProtocol === "https";
  return `${isKnownProtocol ? forwardedProtocol : protocol}://${HOST.test(forwardedHost) ? forwardedHost : host}`;
}

const first = (list: string | null) => (list ?? "").split(",", 1)[0]?.trim() ?? "";

/** Stands in for a host that clients of HTTP/1.0 may leave out (Bun then gives the bare path), or that cannot be used. */
const NO_HOST = "localhost";

/** Elysia 1.4 looks for a URL's path from here on, and so not at the right slash where the host has three letters. */
const ROUTER_SKIPS = "http://a.bc".length;

/** With a slash behind it Elysia 1.4 takes it for the star of a route such as `/run/*`, and gives that no parameter. */
const LAST_STAR = /^([^?]*)\*(?=\/(?:\?|$))/;

/**
 * Sees to it, in place, that the address of a request can be read by all that follow. The error to answer with where the
 * header Host is none.
 */
export function settleAddress(request: Request): ForecourtError | undefined {
  const { url, headers } = request;
  const { protocol, host, path } = split(url);
  const isHost = host !== "" && canBe(host);
  const isReadable = isHost && url.length - path.length >= ROUTER_SKIPS;
  if (isReadable && !path.includes("*/")) return undefined;
  const settled = `${protocol}://${isReadable ? host : NO_HOST}${path.replace(LAST_STAR, "$1%2A")}`;
  Object.defineProperty(request, "url", { value: settled });
  if (isHost && !isReadable && !headers.has(FORWARDED_HOST)) headers.set(FORWARDED_HOST, host);
  if (isHost || host === "") return undefined;
  return new ForecourtError("bad_request", "The header Host names no host that there can be.");
}

/** The last that there can be: nearly all requests name the same one, and reading it anew takes longer than all else here. */
let lastHost = "";

/** The path has no say in whether a URL can be read. */
function canBe(host: string): boolean {
  if (host === lastHost) return true;
  const isPossible = URL.canParse(`http://${host}/`);
  if (isPossible) lastHost = host;
  return isPossible;
}

export const urlOf = ({ url }: { url: string }): URL => new URL(url);

function split(url: string): { protocol: string; host: string; path: string } {
  if (url.startsWith("/")) return { protocol: "http", host: "", path: url };
  const protocol = url.slice(0, url.indexOf("://"));
  const [host = ""] = url.slice(protocol.length + 3).split("/", 1);
  return { protocol, host, path: url.slice(protocol.length + 3 + host.length) };
}

/** The host name of a request's URL, without its port. */
export const hostOf = (url: string): string => split(url).host.replace(/:\d+$/, "");

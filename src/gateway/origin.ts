// How the caller reached this box, so that the URLs in its answer lead back the same way.

const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * `https://host[:port]` without a slash at its end. `publicUrl` (the operator's word) comes first, then what a reverse
 * proxy forwards, then the request itself. A caller that lies about them gets wrong URLs in its own answer, no more.
 */
export function originOf(request: Request, publicUrl: string): string {
  if (publicUrl !== "") return publicUrl;
  const { protocol, host } = splitOrigin(request.url);
  const forwardedHost = first(request.headers.get("x-forwarded-host"));
  const forwardedProtocol = first(request.headers.get("x-forwarded-proto"));
  const isKnownProtocol = forwardedProtocol === "http" || forwardedProtocol === "https";
  return `${isKnownProtocol ? forwardedProtocol : protocol}://${HOST.test(forwardedHost) ? forwardedHost : host}`;
}

const first = (list: string | null) => (list ?? "").split(",", 1)[0]?.trim() ?? "";

/** Where a client of HTTP/1.0 names no host, Bun gives the bare path. */
const NO_HOST = "http://localhost";
export const urlOf = ({ url }: { url: string }): URL => new URL(url.startsWith("/") ? `${NO_HOST}${url}` : url);

function splitOrigin(url: string): { protocol: string; host: string } {
  if (url.startsWith("/")) return splitOrigin(NO_HOST);
  const afterProtocol = url.indexOf("://");
  const slash = url.indexOf("/", afterProtocol + 3);
  return {
    protocol: url.slice(0, afterProtocol),
    host: url.slice(afterProtocol + 3, slash < 0 ? undefined : slash),
  };
}

/** The host name of a request's URL, without its port. */
export const hostOf = (url: string): string => splitOrigin(url).host.replace(/:\d+$/, "");

// GET over HTTP with redirects followed by hand, so that the token never leaves its origin.
import { ForecourtError } from "../../../core/errors.ts";
import { passing } from "./patience.ts";

export type Reply = {
  /** Whatever its status; its body must be read or cancelled. */
  response: Response;
  /** Where the redirects ended. */
  url: string;
};

export type Web = {
  /** Throws `unavailable` when no answer comes, `weights_missing` for redirects that are not followed. */
  get(url: string, request: { signal: AbortSignal; headers?: Record<string, string> }): Promise<Reply>;
};

export type WebOptions = {
  /** Sent as a bearer token to `origin` and nowhere else. */
  credentials?: { origin: string; token: string };
  /** URL of an HTTP proxy. Without it Bun reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  proxy?: string;
  /** Every request fails at once with reason `offline`. */
  isOffline?: boolean;
  /** Asked before each request, redirects included; throws to refuse. */
  admit?: (url: URL) => void | Promise<void>;
};

const MOST_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function createWeb({ credentials, proxy, admit, isOffline = false }: WebOptions = {}): Web {
  const ask = async (url: URL, { signal, headers }: { signal: AbortSignal; headers?: Record<string, string> }) => {
    if (isOffline) throw offline(url);
    await admit?.(url);
    const isHome = credentials !== undefined && url.origin === credentials.origin;
    try {
      return await fetch(url, {
        redirect: "manual",
        signal,
        headers: {
          "user-agent": "forecourt",
          // Ranges and sizes are those of the file itself, not of a compressed form.
          "accept-encoding": "identity",
          ...headers,
          ...(isHome && { authorization: `Bearer ${credentials.token}` }),
        },
        ...(proxy !== undefined && { proxy }),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw passing(`${url.host} cannot be reached: ${wordsOf(error)}`, { cause: error });
    }
  };
  return {
    async get(first, request) {
      let url = new URL(first);
      for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
        const response = await ask(url, request);
        const location = response.headers.get("location");
        if (!REDIRECTS.has(response.status) || location === null) return { response, url: url.href };
        await response.body?.cancel();
        url = nextUrl(url, location);
      }
      throw refused(`${new URL(first).host} redirects more than ${MOST_REDIRECTS} times.`);
    },
  };
}

function nextUrl(from: URL, location: string): URL {
  const url = URL.parse(location, from);
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw refused(`${from.host} redirects to ${location}, which is not a web address.`);
  if (from.protocol === "https:" && url.protocol === "http:")
    throw refused(`${from.host} redirects from https to plain http (${url.host}); that is not followed.`);
  return url;
}

const offline = ({ host }: URL) =>
  new ForecourtError("weights_missing", `${host} is not asked, because hub.offline is set.`, {
    details: { reason: "offline" },
  });

const refused = (message: string) =>
  new ForecourtError("weights_missing", message, { details: { reason: "bad_redirect" } });

/** Bun adds advice for programmers to some of its messages. */
const wordsOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replace(/ For more information.*$/s, "");

// The way to one file's bytes: the stable address, and for as long as it works the short-lived one it redirects to.
import type { Reply, Web } from "./web.ts";

export type Route = (request: {
  signal: AbortSignal;
  headers?: Record<string, string>;
}) => Promise<Reply & { /** Another origin answered than the stable address's. */ isElsewhere: boolean }>;

/**
 * The Hub's resolve address answers with a signed link to its CDN. Using that link again spares one counted request for
 * each range; when it expires, the resolve address signs a new one. It is never written to disk.
 */
export function createRoute(web: Web, url: string): Route {
  let direct: string | undefined;
  return async (request) => {
    if (direct !== undefined) {
      const reply = await web.get(direct, request);
      if (reply.response.ok) return { ...reply, isElsewhere: true };
      await reply.response.body?.cancel();
      direct = undefined;
    }
    const reply = await web.get(url, request);
    const isElsewhere = new URL(reply.url).origin !== new URL(url).origin;
    if (reply.response.ok && isElsewhere) direct = reply.url;
    return { ...reply, isElsewhere };
  };
}

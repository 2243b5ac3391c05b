// fal's hosts as paths of this box, for clients that take a fetch of their own (fal-protocol.md 7.2).
import { createFalClient, type FalClient } from "@fal-ai/client";

export const onBox = (url: string, origin: string) =>
  url
    .replace("https://queue.fal.run/", `${origin}/queue/`)
    .replace("https://fal.run/", `${origin}/run/`)
    .replace("https://rest.fal.ai/", `${origin}/rest/`);

/** fal's own client, unmodified, by one of the ways that it has to reach another host. */
export const falClientOf = ({ origin, key }: { origin: string; key: string }): FalClient =>
  createFalClient({
    credentials: key,
    requestMiddleware: async (request) => ({ ...request, url: onBox(request.url, origin) }),
  });

/** `here` says where a URL of fal is to be found. */
export const rewrittenFetch = (here: (url: string) => string) =>
  Object.assign((url: string | URL | Request, init?: RequestInit) => fetch(here(String(url)), init), fetch);

/** The ways to point the unmodified client at another host (fal-protocol.md 7.2), for a box that is known once a test runs. */
export const falClientsOf = (origin: () => string): [string, (credentials: string) => FalClient][] => [
  ["requestMiddleware", (key) => falClientOf({ origin: origin(), key })],
  [
    "proxyUrl",
    (credentials) => createFalClient({ credentials, proxyUrl: { url: `${origin()}/fal/proxy`, when: "always" } }),
  ],
  ["fetch", (credentials) => createFalClient({ credentials, fetch: rewrittenFetch((url) => onBox(url, origin())) })],
];

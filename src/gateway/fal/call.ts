// One request as fal's faces see it, whichever way it came in: by path, by host name or through the proxy route.
import type { Catalog, CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Key } from "../../control/keys/key.ts";
import { ForecourtError } from "../../core/errors.ts";

export type Call = {
  /** Its method, headers, body and signal count; its URL does not. */
  request: Request;
  caller: Key;
  /** Below the face's root, without slashes around it: `fal-ai/flux/dev`. */
  path: string;
  query: URLSearchParams;
  /** The input, where it was read already to find out whom it is for. */
  input?: unknown;
  /** URLs in the answer begin with these. */
  roots: Roots;
  /** To be called when the body is read: from here on the connection may be silent for as long as a job takes. */
  waitForever(): void;
};

export type Roots = {
  /** Of files: `https://box.example`. */
  origin: string;
  /** Of the queue: `https://box.example/queue`, or the origin itself under the host name queue.fal.run. */
  queue: string;
  /** Of uploads: `https://box.example/cdn`, or the origin of a CDN's host name. */
  cdn: string;
};

export const rootsOf = (origin: string): Roots => ({ origin, queue: `${origin}/queue`, cdn: `${origin}/cdn` });

export type Face = (call: Call) => Promise<Response>;

/** A face that decides itself what needs a key. */
export type OpenFace = (visit: Visit) => Promise<Response>;
export type Visit = Omit<Call, "caller">;

/** An endpoint id has at most seven parts, and `/stream` or `/realtime` may follow. */
const MAX_PARTS = 8;

/**
 * The model that a path names and what follows it. Throws `not_found` in fal's words, with where to look, and
 * `model_file_wrong`.
 */
export function endpointOf(catalog: Pick<Catalog, "match" | "refusal">, path: string) {
  const parts = path.split("/");
  const isPossible = parts.length <= MAX_PARTS;
  const found = isPossible ? catalog.match(path) : undefined;
  if (found) return found;
  throw (isPossible ? catalog.refusal(path) : undefined) ?? unknown(path);
}

const unknown = (path: string) =>
  new ForecourtError(
    "not_found",
    `Application "${(path.split("/")[1] ?? path).slice(0, 100)}" not found. This box has no model ${path.slice(0, 200)}; /models lists those that it has.`,
  );

export type Endpoint = { entry: CatalogEntry; endpoint: string; rest: string };

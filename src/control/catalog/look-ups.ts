// How ids are looked up among the models that there are.
import type { ForecourtError } from "../../core/errors.ts";
import type { CatalogEntry, Endpoint } from "./catalog-entry.ts";
import { namesOf, wordedOf } from "./entry.ts";
import type { Settled } from "./settle.ts";
import { refusalBy, type WrongFile } from "./wrong-file.ts";

export type LookUps = {
  /** Models, each as it is under its own id. */
  list(): readonly CatalogEntry[];
  /** Endpoints with words of their own. */
  worded(): readonly Endpoint[];
  /** By id or alias; under an endpoint with words of its own, in these. */
  find(endpoint: string): CatalogEntry | undefined;
  /** Splits a request path into the longest known endpoint id and the rest (`fal-ai/flux/dev/stream` -> `/stream`). */
  match(path: string): { entry: CatalogEntry; endpoint: string; rest: string } | undefined;
  /** Operator's files that are wrong. */
  wrong(): readonly WrongFile[];
  /** Why nothing is served under an id, or a path that begins with one, where a wrong file claims it: `model_file_wrong`. */
  refusal(path: string): ForecourtError | undefined;
};

export function lookUps({ entries, wrong, blocked }: Settled): LookUps {
  const worded = entries.flatMap(wordedOf);
  const byEndpoint = new Map(entries.flatMap((entry) => namesOf(entry).map((name) => [name, entry] as const)));
  for (const { endpoint, entry } of worded) byEndpoint.set(endpoint, entry);
  return {
    list: () => entries,
    worded: () => worded,
    find: (endpoint) => byEndpoint.get(endpoint),
    match(path) {
      for (const { endpoint, rest } of splits(path)) {
        // A shorter id is another model.
        if (blocked.has(endpoint)) return undefined;
        const entry = byEndpoint.get(endpoint);
        if (entry) return { entry, endpoint, rest };
      }
      return undefined;
    },
    wrong: () => wrong,
    refusal(path) {
      if (blocked.size === 0) return undefined;
      for (const { endpoint } of splits(path)) {
        const by = blocked.get(endpoint);
        if (by) return refusalBy(by, endpoint);
      }
      return undefined;
    },
  };
}

/** The longest endpoint id first. */
function* splits(path: string) {
  const parts = path.replace(/^\/+/, "").split("/");
  for (let length = parts.length; length >= 2; length--) {
    const rest = parts.slice(length).map((part) => `/${part}`);
    yield { endpoint: parts.slice(0, length).join("/"), rest: rest.join("") };
  }
}

// The URLs of an input that have to be fetched before the run: fields whose schema says `media`. With `onlyUrls` other
// strings are names: of repositories on the Hub, or of files that the runner knows.
import { isDataUri } from "../../core/data-uri.ts";
import { isHubRepository, type TSchema } from "../../core/schema.ts";

/** `loc` as in field problems, from `body`; the name of a repository where the field takes those. */
export type MediaUrl = { loc: (string | number)[]; url: string };

/** Data URIs are left out: the runner reads them itself. */
export function mediaUrls(schema: TSchema, value: unknown, loc: (string | number)[] = ["body"]): MediaUrl[] {
  if (Array.isArray(schema.anyOf)) return ofBranches(schema.anyOf, value, loc);
  if (typeof value === "string") {
    const isName = schema.onlyUrls === true && !/^https?:/i.test(value) && !isHubRepository(value);
    const isOther = isDataUri(value) || isName;
    return schema.media !== undefined && !isOther ? [{ loc, url: value }] : [];
  }
  if (Array.isArray(value))
    return value.flatMap((each, at) => (schema.items ? mediaUrls(schema.items, each, [...loc, at]) : []));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const property = schema.properties?.[name];
    return property ? mediaUrls(property, field, [...loc, name]) : [];
  });
}

/** Which branch a value is of is not asked: what one of them calls a URL is one. */
function ofBranches(branches: TSchema[], value: unknown, loc: (string | number)[]): MediaUrl[] {
  const found = branches.flatMap((branch) => mediaUrls(branch, value, loc));
  return [...new Map(found.map((each) => [each.loc.join("\n"), each])).values()];
}

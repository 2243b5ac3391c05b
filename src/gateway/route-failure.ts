// What the router throws for a path that has no route, or none with this method, in the words of this project.
import { ForecourtError } from "../core/errors.ts";
import { methodOf, withHead } from "./head.ts";
import { urlOf } from "./origin.ts";

export type Route = { method: string; path: string };

/** The error to answer with: paths that exist for other methods say which. */
export function routeFailure(request: Request, routes: readonly Route[]): ForecourtError {
  const { pathname } = urlOf(request);
  const methods = routes.filter(({ path }) => isMatch(path, pathname)).map(({ method }) => method);
  const allow = withHead([...new Set(methods)]);
  if (allow.length === 0) return notFound(pathname);
  const message = `${methodOf(request)} is not allowed here. Use ${allow.join(" or ")}.`;
  return new ForecourtError("method_not_allowed", message, { details: { allow } });
}

/** Whoever moves here from elsewhere may have changed the host alone. */
const notFound = (pathname: string) =>
  new ForecourtError(
    "not_found",
    `Path ${pathname.slice(0, 200)} not found. Models are called below /run and /queue, OpenAI's API is below /v1; /swagger has all paths.`,
  );

/** Compares part by part: `:name` is any one part, `*` the rest, of which there is some. */
function isMatch(pattern: string, pathname: string): boolean {
  const expected = pattern.split("/");
  const given = pathname.replace(/(?<=.)\/$/, "").split("/");
  const rest = expected.indexOf("*");
  if (rest < 0 ? expected.length !== given.length : given.length <= rest) return false;
  const parts = rest < 0 ? expected : expected.slice(0, rest);
  return parts.every((part, index) => (part.startsWith(":") ? given[index] !== undefined : part === given[index]));
}

// The methods of a path that answers several by itself.
import { ForecourtError } from "../core/errors.ts";
import { methodOf, withHead } from "./head.ts";

/** GET stands for HEAD too. Throws `method_not_allowed`, which says what is allowed. */
export const requireMethod = (request: Request, allow: readonly string[], hint: string) =>
  requireExactly(request, withHead(allow), hint);

/** The same where GET does more than to read: whoever only looks must not set it off. */
export function requireExactly(request: Request, allow: readonly string[], hint: string): void {
  const method = methodOf(request);
  if (allow.includes(method)) return;
  throw new ForecourtError("method_not_allowed", `${method} is not allowed here. ${hint}`, { details: { allow } });
}

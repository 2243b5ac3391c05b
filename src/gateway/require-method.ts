// The methods of a path that answers several by itself.
import { ForecourtError } from "../core/errors.ts";

/** Throws `method_not_allowed`, which says what is allowed. */
export function requireMethod(request: Request, allow: string[], hint: string): void {
  if (allow.includes(request.method)) return;
  throw new ForecourtError("method_not_allowed", `${request.method} is not allowed here. ${hint}`, {
    details: { allow },
  });
}

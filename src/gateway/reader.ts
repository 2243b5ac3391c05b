// Who reads a file: nobody needs a key for that, but a key may open what its rules close to others.
import type { Key } from "../control/keys/key.ts";
import type { Decision } from "../control/storage/acl.ts";
import { ForecourtError } from "../core/errors.ts";
import type { Authenticate } from "./authenticate.ts";

/** Whoever shows nothing valid is anyone: undefined. */
export function readerOf(authenticate: Authenticate, request: Request): Key | undefined {
  if (!request.headers.has("authorization")) return undefined;
  try {
    return authenticate(request);
  } catch (error) {
    if (error instanceof ForecourtError) return undefined;
    throw error;
  }
}

/** Throws `not_found` where the file is hidden and `forbidden` where it is closed. */
export function requireLeave(decision: Decision): void {
  if (decision === "hide") throw noFile();
  if (decision === "forbid")
    throw new ForecourtError("forbidden", "The owner of this file does not share it with you.");
}

export const noFile = () => new ForecourtError("not_found", "There is no such file, or it has expired.");

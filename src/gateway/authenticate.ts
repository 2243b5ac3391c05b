// Who is calling: the key of a request, checked. `Key id:secret` and `Bearer id:secret` mean the same.
import type { Key, KeyScope, Keys } from "../control/keys/keys.ts";
import { ForecourtError } from "../core/errors.ts";

export type Authenticate = (request: Request) => Key;

/** The result throws `unauthenticated` for a request without a valid key. */
export const createAuthenticate =
  ({ keys }: { keys: Pick<Keys, "verify"> }): Authenticate =>
  (request) =>
    keys.verify(credentialOf(request.headers.get("authorization")));

function credentialOf(header: string | null): string {
  if (header === null) throw unauthenticated(`No key given. Send the header ${EXPECTED}.`);
  const [scheme = "", credential, ...rest] = header.trim().split(/\s+/);
  const isKnown = scheme.toLowerCase() === "key" || scheme.toLowerCase() === "bearer";
  if (!isKnown || credential === undefined || rest.length > 0)
    throw unauthenticated(`Invalid Authorization header format. Expected ${EXPECTED}.`);
  return credential;
}

const EXPECTED = "'Authorization: Key <key_id>:<key_secret>'";
const unauthenticated = (message: string) => new ForecourtError("unauthenticated", message);

/** Throws `forbidden` unless the key has one of the scopes. */
export function requireScope(caller: Key, ...scopes: KeyScope[]): void {
  if (scopes.includes(caller.scope)) return;
  throw new ForecourtError("forbidden", `This key has the scope ${caller.scope}; needed is ${scopes.join(" or ")}.`);
}

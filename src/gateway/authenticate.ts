// Who is calling: the key of a request, checked. `Key id:secret` and `Bearer id:secret` mean the same.
import type { Key, KeyScope } from "../control/keys/key.ts";
import type { Keys } from "../control/keys/keys.ts";
import { isPermitted, type Permission } from "../control/keys/permissions.ts";
import { coversApp, looksLikeToken, type Tokens } from "../control/keys/tokens.ts";
import { ForecourtError } from "../core/errors.ts";
import { urlOf } from "./origin.ts";

export type Authenticate = (request: Request) => Key;

/** The result throws `unauthenticated` for a request without a valid key. */
export function createAuthenticate({ keys, tokens }: AuthenticateParts): Authenticate {
  return (request) => {
    const header = request.headers.get("authorization");
    return (header === null ? keyOfAppToken(tokens, request.url) : undefined) ?? keys.verify(credentialOf(header));
  };
}

type AuthenticateParts = { keys: Pick<Keys, "verify">; tokens: Pick<Tokens, "verify"> };

/** For uploads: a storage token is as good as its key. */
export function createAuthenticateStorage({ keys, tokens }: AuthenticateParts): Authenticate {
  return (request) => {
    const credential = credentialOf(request.headers.get("authorization"));
    return looksLikeToken(credential) ? tokens.verify(credential, "storage").key : keys.verify(credential);
  };
}

/**
 * The key behind `fal_jwt_token` in the URL of a stream or realtime connection, which browsers open without headers.
 * Undefined for other URLs. Throws `unauthenticated`, and `forbidden` for a token of other endpoints.
 */
function keyOfAppToken(tokens: Pick<Tokens, "verify">, url: string): Key | undefined {
  if (!url.includes("fal_jwt_token=")) return undefined;
  const { hostname, pathname, searchParams } = urlOf({ url });
  const path = hostname === "fal.run" ? pathname : pathname.startsWith("/run/") ? pathname.slice(4) : "";
  const token = searchParams.get("fal_jwt_token");
  if (token === null || !/\/(stream|realtime)\/?$/.test(path)) return undefined;
  const { key, grant } = tokens.verify(token, "apps");
  if (coversApp(grant.apps, path.replace(/^\/|\/$/g, ""))) return key;
  throw new ForecourtError("forbidden", `This token is for ${grant.apps.join(", ").slice(0, 200)} only.`);
}

function credentialOf(header: string | null): string {
  if (header === null) throw unauthenticated(`No key given. Send the header ${EXPECTED}.`);
  const [scheme = "", credential, ...rest] = header.split(/\s+/);
  const isKnown = scheme.toLowerCase() === "key" || scheme.toLowerCase() === "bearer";
  if (!isKnown || credential === undefined || rest.length > 0)
    throw unauthenticated(`Invalid Authorization header format. Expected ${EXPECTED}.`);
  return credential;
}

const EXPECTED = "'Authorization: Key <key_id>:<key_secret>'";
const unauthenticated = (message: string) => new ForecourtError("unauthenticated", message);

/** Throws `forbidden` unless the key is one for using models and files, and may do this. */
export function requireUse(caller: Key, permission: Permission): void {
  requireScope(caller, "api", "admin");
  if (isPermitted(caller, permission)) return;
  throw new ForecourtError("forbidden", `This key lacks the permission ${permission}.`);
}

/** Throws `forbidden` unless the key has one of the scopes. */
export function requireScope(caller: Key, ...scopes: KeyScope[]): void {
  if (scopes.includes(caller.scope)) return;
  throw new ForecourtError("forbidden", `This key has the scope ${caller.scope}; needed is ${scopes.join(" or ")}.`);
}

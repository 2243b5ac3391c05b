// Short-lived tokens that a key gives out (JSON Web Tokens, RFC 7519, HS256): they name the key and what they are good for.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { parse, type Static, Type } from "../../core/schema.ts";
import { type Instant, instant, type Milliseconds } from "../../core/units.ts";
import type { Key } from "./key.ts";
import type { Keys } from "./keys.ts";
import { endOf } from "./live-key.ts";

/**
 * `apps`: streams and realtime connections to these endpoints. `storage`: uploads, and reading what its key may read.
 * `file`: reading the one file that its URL's token names.
 */
export type Grant = { use: "apps"; apps: string[] } | { use: "storage" } | { use: "file"; file: string };
export type GrantUse = Grant["use"];

export type Tokens = {
  issue(token: { key: KeyId; grant: Grant; lifetime: Milliseconds }): { token: string; expiresAt: Instant };
  /**
   * The key behind a token and what it grants. Throws `unauthenticated` for one that is forged, expired, for another
   * use, or whose key has ended.
   */
  verify<Use extends GrantUse>(token: string, use: Use): { key: Key; grant: Extract<Grant, { use: Use }> };
};

export type TokensParts = { keys: Pick<Keys, "find">; secret: Uint8Array; clock: Clock };

const claimsSchema = Type.Object({
  sub: Type.String(),
  exp: Type.Number(),
  aud: Type.String(),
  apps: Type.Optional(Type.Array(Type.String())),
  file: Type.Optional(Type.String()),
});
type Claims = Static<typeof claimsSchema>;

const HEADER = base64url(JSON.stringify({ alg: "HS256", typ: "JWT" }));

export function createTokens({ keys, secret, clock }: TokensParts): Tokens {
  const signature = (text: string) => createHmac("sha256", secret).update(text).digest();

  const claimsOf = (token: string): Claims => {
    const [header, payload = "", signed = "", ...rest] = token.split(".");
    const expected = signature(`${HEADER}.${payload}`);
    const given = Buffer.from(signed, "base64url");
    const isOurs = given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
    if (header !== HEADER || rest.length > 0 || !isOurs) throw unauthenticated("Invalid token.");
    return parse(claimsSchema, JSON.parse(Buffer.from(payload, "base64url").toString()));
  };

  return {
    issue({ key, grant: { use, ...scope }, lifetime }) {
      const expiresAt = instant(clock.now() + lifetime);
      const claims = { sub: key, aud: use, exp: expiresAt / 1000, ...scope };
      const text = `${HEADER}.${base64url(JSON.stringify(claims))}`;
      return { token: `${text}.${signature(text).toString("base64url")}`, expiresAt };
    },
    verify<Use extends GrantUse>(token: string, use: Use) {
      const { sub, aud, exp, apps = [], file = "" } = claimsOf(token);
      if (aud !== use) throw unauthenticated(`This token is for ${aud}, not for ${use}.`);
      if (exp * 1000 <= clock.now()) throw unauthenticated("This token has expired.");
      const grants: { [Each in GrantUse]: Extract<Grant, { use: Each }> } = {
        apps: { use: "apps", apps },
        storage: { use: "storage" },
        file: { use: "file", file },
      };
      return { key: liveKey(keys, asId<KeyId>(sub), clock), grant: grants[use] };
    },
  };
}

function liveKey(keys: Pick<Keys, "find">, id: KeyId, clock: Clock): Key {
  const found = keys.find(id);
  const key = found?.id === id ? found : undefined; // not one of that name
  const end = endOf(key, clock.now());
  if (key && !end) return key;
  throw unauthenticated(`The key of this token ${end}.`);
}

/** Told from an API key, `id:secret`. */
export const looksLikeToken = (credential: string) => credential.startsWith(`${HEADER}.`);

/**
 * Do `apps` cover a path such as `fal-ai/flux/dev/stream`? Each may be an alias alone (`flux`, as fal's clients ask for) or
 * a whole path from its owner on, which covers what lies below it.
 */
export function coversApp(apps: readonly string[], path: string): boolean {
  const parts = path.split("/");
  const isNamespaced = parts[0] === "workflows" || parts[0] === "comfy";
  const alias = parts[isNamespaced ? 2 : 1];
  return apps.some((each) => {
    const app = each.replace(/^\/+|\/+$/g, "");
    return app.includes("/") ? path === app || path.startsWith(`${app}/`) : app === alias;
  });
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

const unauthenticated = (message: string) => new ForecourtError("unauthenticated", message);

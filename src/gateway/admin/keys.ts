// Keys over HTTP, for admins: make, list, revoke.
import type { Key, KeyScope, Keys } from "../../control/keys/keys.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { choice, parse, Type } from "../../core/schema.ts";
import { type Instant, instant } from "../../core/units.ts";

const scopes = ["api", "admin", "metrics"] as const satisfies KeyScope[];

export const newKeySchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200, description: "What or whom the key is for" }),
  scope: choice(scopes, { default: "api", description: "api: use models; admin: everything; metrics: read metrics" }),
  expires_in: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_153_600_000, description: "Seconds until it ends" })),
});

/** `key` is in the answer this once. Throws `invalid_input`. */
export function createKey(keys: Keys, body: unknown, now: Instant): Response {
  const { name, scope, expires_in } = parse(newKeySchema, body);
  const expiry = expires_in === undefined ? {} : { expiresAt: instant(now + expires_in * 1000) };
  const { key, secret } = keys.create({ name, scope, ...expiry });
  return Response.json({ ...published(key, now), key: secret }, { status: 201 });
}

export const listKeys = (keys: Keys, now: Instant) =>
  Response.json({ keys: keys.list().map((key) => published(key, now)) });

/** Throws `not_found`. */
export const revokeKey = (keys: Keys, id: string, now: Instant) =>
  Response.json(published(keys.revoke(asId<KeyId>(id)), now));

const published = (key: Key, now: Instant) => ({
  id: key.id,
  name: key.name,
  scope: key.scope,
  state: stateOf(key, now),
  created_at: isoTime(key.createdAt),
  expires_at: isoTime(key.expiresAt),
  revoked_at: isoTime(key.revokedAt),
  last_used_at: isoTime(key.lastUsedAt),
});

function stateOf({ revokedAt, expiresAt }: Key, now: Instant) {
  if (revokedAt !== undefined) return "revoked";
  return expiresAt !== undefined && expiresAt <= now ? "expired" : "active";
}

const isoTime = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());

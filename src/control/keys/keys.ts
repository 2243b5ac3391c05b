// API keys: minted once, kept as a hash, checked in constant time.
import type { KeyId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";

export type KeyScope = "api" | "admin" | "metrics";

export type Key = {
  id: KeyId;
  name: string;
  scope: KeyScope;
  createdAt: Instant;
  expiresAt?: Instant;
  revokedAt?: Instant;
  lastUsedAt?: Instant;
};

export type Keys = {
  /** `secret` is `id:secret`, given out this once. */
  create(key: { name: string; scope: KeyScope; expiresAt?: Instant }): { key: Key; secret: string };
  list(): Key[];
  find(idOrName: string): Key | undefined;
  /** Throws `not_found`. Revoking twice is no harm. */
  revoke(id: KeyId): Key;
  /** `credential` is `id:secret`. Throws `unauthenticated`. */
  verify(credential: string): Key;
};

// API keys: minted once, kept as a hash, checked in constant time.
import { timingSafeEqual } from "node:crypto";
import { eq } from "drizzle-orm";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { type KeyId, newKeyId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { keyTable } from "./keys.table.ts";
import { createKnownKeys, type KnownKeys } from "./known-keys.ts";

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
  /** Writes down when keys were last used; kept in memory until then. */
  flushUsage(): void;
};

/** 128 bits: beyond guessing, so that a plain hash is enough to keep. fal's secrets have the same form. */
const SECRET_BYTES = 16;

export function createKeys({ database, clock }: { database: Database; clock: Clock }): Keys {
  const { orm, write, flush } = database;
  const known = createKnownKeys(database);
  const used = new Map<KeyId, Instant>();

  const withUse = (key: Key): Key => {
    const lastUsedAt = used.get(key.id) ?? key.lastUsedAt;
    return { ...key, ...(lastUsedAt !== undefined && { lastUsedAt }) };
  };
  const list = () => known.all().map(({ key }) => withUse(key));
  /** Holds from the moment of return, power cut or not. */
  const change = (act: () => void) => {
    write(act);
    flush();
    known.forget();
  };

  return {
    create({ name, scope, expiresAt }) {
      const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString("hex");
      const key: Key = {
        id: newKeyId(),
        name,
        scope,
        createdAt: clock.now(),
        ...(expiresAt !== undefined && { expiresAt }),
      };
      const hash = sha256(secret).toString("hex");
      change(() =>
        orm
          .insert(keyTable)
          .values({ ...key, hash })
          .run(),
      );
      return { key, secret: `${key.id}:${secret}` };
    },
    list,
    find: (idOrName) => {
      const keys = list();
      return keys.find(({ id }) => id === idOrName) ?? keys.findLast(({ name }) => name === idOrName);
    },
    revoke(id) {
      const key = known.get(id)?.key;
      if (!key) throw new ForecourtError("not_found", `There is no key ${id}.`);
      if (key.revokedAt !== undefined) return withUse(key);
      const revokedAt = clock.now();
      change(() => orm.update(keyTable).set({ revokedAt }).where(eq(keyTable.id, id)).run());
      return withUse({ ...key, revokedAt });
    },
    verify(credential) {
      const key = check(credential, known, clock.now());
      used.set(key.id, clock.now());
      return key;
    },
    flushUsage() {
      if (used.size === 0) return;
      write(() => {
        for (const [id, at] of used) orm.update(keyTable).set({ lastUsedAt: at }).where(eq(keyTable.id, id)).run();
      });
      used.clear();
      known.forget();
    },
  };
}

function check(credential: string, known: KnownKeys, now: Instant): Key {
  const at = credential.indexOf(":");
  if (at < 0) throw unauthenticated("Invalid key format. Expected '<key_id>:<key_secret>'.");
  const found = known.get(credential.slice(0, at));
  const hash = sha256(credential.slice(at + 1));
  // An unknown id takes as long as a wrong secret.
  const isRight = timingSafeEqual(hash, found?.hash ?? NO_HASH);
  if (!found || !isRight) throw unauthenticated("Invalid key credentials.");
  const { key } = found;
  if (key.revokedAt !== undefined) throw unauthenticated("This key was revoked.");
  if (key.expiresAt !== undefined && key.expiresAt <= now) throw unauthenticated("This key has expired.");
  return key;
}

const NO_HASH = Buffer.alloc(32);
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest();
const unauthenticated = (message: string) => new ForecourtError("unauthenticated", message);

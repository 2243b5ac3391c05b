// API keys: minted once, kept as a hash, checked in constant time.
import { timingSafeEqual } from "node:crypto";
import { eq } from "drizzle-orm";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { type KeyId, newKeyId } from "../../core/ids.ts";
import { type Instant, instant, type Milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Key, KeyScope, NewKey } from "./key.ts";
import { createKeyStore } from "./key-store.ts";
import { keyTable } from "./keys.table.ts";
import { createKnownKeys, type KeyPage, type KnownKey, type KnownKeys } from "./known-keys.ts";
import { endOf } from "./live-key.ts";

export type Keys = {
  /** `secret` is `id:secret`, given out this once. `also` is written in the same transaction. */
  create(key: NewKey, also?: (id: KeyId) => void): { key: Key; secret: string };
  list(): Key[];
  /** Costs what it gives. */
  page(page: KeyPage): Key[];
  /** Is there one, in force or over? */
  has(scope: KeyScope): boolean;
  get(id: KeyId): Key | undefined;
  /** In memory alone: costs next to nothing. */
  isInForce(id: KeyId): boolean;
  find(idOrName: string): Key | undefined;
  /** Throws `not_found`. Revoking twice is no harm. */
  revoke(id: KeyId): Key;
  /**
   * Another secret for the same key; the one before is good for `overlap` more. Throws `not_found`, `bad_request`. `takeBack`, for a
   * secret that reached nobody: all is as it was before, unless the key was rotated again.
   */
  rotate(id: KeyId, overlap: Milliseconds): { key: Key; secret: string; takeBack(): void };
  /** `credential` is `id:secret`. Throws `unauthenticated`. */
  verify(credential: string): Key;
  /** Writes down when keys were last used, kept in memory until then, and forgets those that are over. */
  flushUsage(): void;
};

/** 128 bits: beyond guessing, so that a plain hash is enough to keep. fal's secrets have the same form. */
const SECRET_BYTES = 16;

export function createKeys({ database, clock }: { database: Database; clock: Clock }): Keys {
  const { orm, write } = database;
  const known = createKnownKeys(database, clock);
  const used = new Map<KeyId, Instant>();

  const withUse = (key: Key): Key => {
    const lastUsedAt = used.get(key.id);
    return lastUsedAt === undefined ? key : { ...key, lastUsedAt };
  };
  const existing = (id: KeyId): KnownKey => {
    const found = known.get(id);
    if (!found) throw new ForecourtError("not_found", `There is no key ${id}.`);
    return found;
  };
  const { insert, set } = createKeyStore(database, known);

  return {
    create(wanted, also = () => {}) {
      const { secret, hash } = newSecret();
      const key: Key = { ...wanted, id: newKeyId(), createdAt: clock.now() };
      insert(key, hash, () => also(key.id));
      return { key, secret: `${key.id}:${secret}` };
    },
    list: () => known.all().map(({ key }) => withUse(key)),
    page: (page) => known.page(page).map(({ key }) => withUse(key)),
    has: known.has,
    get: (id) => known.get(id)?.key,
    isInForce: known.isInForce,
    find: (idOrName) => {
      const found = known.get(idOrName) ?? known.named(idOrName);
      return found && withUse(found.key);
    },
    revoke(id) {
      const { key } = existing(id);
      if (key.revokedAt !== undefined) return withUse(key);
      const revokedAt = clock.now();
      set(id, { revokedAt });
      return withUse({ ...key, revokedAt });
    },
    rotate(id, overlap) {
      const { key, hash: former, previous } = existing(id);
      const rotatedAt = clock.now();
      const end = endOf(key, rotatedAt);
      if (end !== undefined) throw new ForecourtError("bad_request", `The key ${key.name} ${end}; make another one.`);
      const { secret, hash } = newSecret();
      const before = {
        hash: former.toString("hex"),
        previousHash: previous?.hash.toString("hex") ?? null,
        previousUntil: previous?.until ?? null,
        rotatedAt: key.rotatedAt ?? null,
      };
      set(id, { hash, previousHash: before.hash, previousUntil: instant(rotatedAt + overlap), rotatedAt });
      return {
        key: withUse({ ...key, rotatedAt }),
        secret: `${id}:${secret}`,
        takeBack: () => set(id, before, { hash }),
      };
    },
    verify(credential) {
      const now = clock.now();
      const key = check(credential, known, now);
      used.set(key.id, now);
      return key;
    },
    flushUsage() {
      known.dropEnded();
      if (used.size === 0) return;
      write(() => {
        for (const [id, at] of used) orm.update(keyTable).set({ lastUsedAt: at }).where(eq(keyTable.id, id)).run();
      });
      for (const [id, at] of used) known.used(id, at);
      used.clear();
    },
  };
}

function newSecret() {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString("hex");
  return { secret, hash: sha256(secret).toString("hex") };
}

function check(credential: string, known: KnownKeys, now: Instant): Key {
  const at = credential.indexOf(":");
  if (at < 0) throw unauthenticated("Invalid key format. Expected '<key_id>:<key_secret>'.");
  const found = known.get(credential.slice(0, at));
  const hash = sha256(credential.slice(at + 1));
  // An unknown id takes as long as a wrong secret, and so does one that was rotated.
  const isCurrent = timingSafeEqual(hash, found?.hash ?? NO_HASH);
  const isPrevious = timingSafeEqual(hash, found?.previous?.hash ?? NO_HASH);
  if (!found || !(isCurrent || isPrevious)) throw unauthenticated("Invalid key credentials.");
  if (!isCurrent && (found.previous?.until ?? 0) <= now)
    throw unauthenticated("This key has another secret since it was rotated.");
  const { key } = found;
  const end = endOf(key, now);
  if (end !== undefined) throw unauthenticated(`This key ${end}.`);
  return key;
}

const NO_HASH = Buffer.alloc(32);
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest();
const unauthenticated = (message: string) => new ForecourtError("unauthenticated", message);

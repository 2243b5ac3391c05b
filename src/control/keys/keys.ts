// API keys: minted once, kept as a hash, checked in constant time.
import { timingSafeEqual } from "node:crypto";
import { eq } from "drizzle-orm";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId, newKeyId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { keyTable } from "./keys.table.ts";

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

type Row = typeof keyTable.$inferSelect;
type Known = { key: Key; hash: Buffer };

/** 128 bits: beyond guessing, so that a plain hash is enough to keep. fal's secrets have the same form. */
const SECRET_BYTES = 16;

export function createKeys({ database, clock }: { database: Database; clock: Clock }): Keys {
  const { orm, sqlite, write, flush } = database;
  const dataVersion = sqlite.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let known = new Map<string, Known>();
  let seenVersion = -1;
  const used = new Map<KeyId, Instant>();

  /** The counter changes when another process commits, such as `forecourt keys revoke`; reading it takes microseconds. */
  const refresh = () => {
    const version = dataVersion.get()?.data_version ?? 0;
    if (version === seenVersion) return;
    seenVersion = version;
    known = new Map(
      orm
        .select()
        .from(keyTable)
        .all()
        .map((row) => [row.id, { key: keyOf(row), hash: Buffer.from(row.hash, "hex") }]),
    );
  };
  const forget = () => {
    seenVersion = -1;
  };
  const withUse = (key: Key): Key => {
    const lastUsedAt = used.get(key.id) ?? key.lastUsedAt;
    return { ...key, ...(lastUsedAt !== undefined && { lastUsedAt }) };
  };
  const list = () => {
    refresh();
    return [...known.values()].map(({ key }) => withUse(key));
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
      write(() =>
        orm
          .insert(keyTable)
          .values({ ...key, hash })
          .run(),
      );
      flush();
      forget();
      return { key, secret: `${key.id}:${secret}` };
    },
    list,
    find: (idOrName) => {
      const keys = list();
      return keys.find(({ id }) => id === idOrName) ?? keys.findLast(({ name }) => name === idOrName);
    },
    revoke(id) {
      refresh();
      const key = known.get(id)?.key;
      if (!key) throw new ForecourtError("not_found", `There is no key ${id}.`);
      if (key.revokedAt !== undefined) return withUse(key);
      const revokedAt = clock.now();
      write(() => orm.update(keyTable).set({ revokedAt }).where(eq(keyTable.id, id)).run());
      flush();
      forget();
      return withUse({ ...key, revokedAt });
    },
    verify(credential) {
      refresh();
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
      forget();
    },
  };
}

function check(credential: string, known: Map<string, Known>, now: Instant): Key {
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

const keyOf = ({ id, name, scope, createdAt, expiresAt, revokedAt, lastUsedAt }: Row): Key => ({
  id: asId<KeyId>(id),
  name,
  scope,
  createdAt: instant(createdAt),
  ...(expiresAt !== null && { expiresAt: instant(expiresAt) }),
  ...(revokedAt !== null && { revokedAt: instant(revokedAt) }),
  ...(lastUsedAt !== null && { lastUsedAt: instant(lastUsedAt) }),
});

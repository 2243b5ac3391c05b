// All keys in memory, as fresh as the database.

import { asId, type KeyId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import { createMirror } from "../database/mirror.ts";
import type { Database } from "../database/open.ts";
import { keyTable } from "./keys.table.ts";
import type { Key } from "./keys.ts";
import type { Permission } from "./permissions.ts";

export type KnownKey = {
  key: Key;
  hash: Buffer;
  /** The secret before the last rotation, while it is good too. */
  previous?: { hash: Buffer; until: Instant };
};

export type KnownKeys = {
  get(id: string): KnownKey | undefined;
  all(): KnownKey[];
  /** Written down as well. Reading all keys again, of which there are more each year, would be felt by who comes next. */
  used(id: KeyId, at: Instant): void;
  /** After a change through this connection: the next look reads the table. */
  forget(): void;
};

type Row = typeof keyTable.$inferSelect;

export function createKnownKeys(database: Database): KnownKeys {
  const mirror = createMirror(
    database,
    () => new Map<string, KnownKey>(database.orm.select().from(keyTable).all().map(entryOf)),
  );
  return {
    get: (id) => mirror.get().get(id),
    all: () => [...mirror.get().values()],
    used(id, at) {
      const known = mirror.get().get(id);
      if (known) mirror.get().set(id, { ...known, key: { ...known.key, lastUsedAt: at } });
    },
    forget: mirror.forget,
  };
}

const entryOf = (row: Row): [string, KnownKey] => [
  row.id,
  {
    key: keyOf(row),
    hash: Buffer.from(row.hash, "hex"),
    ...(row.previousHash !== null && {
      previous: { hash: Buffer.from(row.previousHash, "hex"), until: instant(row.previousUntil ?? 0) },
    }),
  },
];

const keyOf = ({ id, name, scope, team, owner, models, permissions, createdAt, ...row }: Row): Key => ({
  id: asId<KeyId>(id),
  name,
  scope,
  ...(team !== null && { team }),
  ...(owner !== null && { owner }),
  ...(models !== null && { models: JSON.parse(models) as string[] }), // written by keys.ts
  ...(permissions !== null && { permissions: JSON.parse(permissions) as Permission[] }), // written by keys.ts
  createdAt: instant(createdAt),
  ...(row.expiresAt !== null && { expiresAt: instant(row.expiresAt) }),
  ...(row.revokedAt !== null && { revokedAt: instant(row.revokedAt) }),
  ...(row.rotatedAt !== null && { rotatedAt: instant(row.rotatedAt) }),
  ...(row.lastUsedAt !== null && { lastUsedAt: instant(row.lastUsedAt) }),
});

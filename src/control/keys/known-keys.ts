// All keys in memory, as fresh as the database: who checks a request must not wait for a query.

import { asId, type KeyId } from "../../core/ids.ts";
import { instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { keyTable } from "./keys.table.ts";
import type { Key } from "./keys.ts";

export type KnownKey = { key: Key; hash: Buffer };

export type KnownKeys = {
  get(id: string): KnownKey | undefined;
  all(): KnownKey[];
  /** After a change through this connection: the next look reads the table. */
  forget(): void;
};

type Row = typeof keyTable.$inferSelect;

export function createKnownKeys({ orm, sqlite }: Database): KnownKeys {
  // The counter changes when another process commits, such as `forecourt keys revoke`; reading it takes microseconds.
  const dataVersion = sqlite.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let known = new Map<string, KnownKey>();
  let seenVersion = -1;

  const fresh = () => {
    const version = dataVersion.get()?.data_version ?? 0;
    if (version !== seenVersion) known = new Map(orm.select().from(keyTable).all().map(entryOf));
    seenVersion = version;
    return known;
  };
  return {
    get: (id) => fresh().get(id),
    all: () => [...fresh().values()],
    forget() {
      seenVersion = -1;
    },
  };
}

const entryOf = (row: Row): [string, KnownKey] => [row.id, { key: keyOf(row), hash: Buffer.from(row.hash, "hex") }];

const keyOf = ({ id, name, scope, createdAt, expiresAt, revokedAt, lastUsedAt }: Row): Key => ({
  id: asId<KeyId>(id),
  name,
  scope,
  createdAt: instant(createdAt),
  ...(expiresAt !== null && { expiresAt: instant(expiresAt) }),
  ...(revokedAt !== null && { revokedAt: instant(revokedAt) }),
  ...(lastUsedAt !== null && { lastUsedAt: instant(lastUsedAt) }),
});

// Keys in memory, as fresh as the database: those in force. The others, which become many where programs change keys, are read when
// somebody asks for one.
import { and, asc, desc, eq, getTableColumns, gt, isNull, or, sql } from "drizzle-orm";
import type { Clock } from "../../core/clock.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import { createMirror } from "../database/mirror.ts";
import type { Database } from "../database/open.ts";
import { statement } from "../database/statement.ts";
import type { Key, KeyScope } from "./key.ts";
import { keyTable } from "./keys.table.ts";
import { endOf } from "./live-key.ts";
import type { Permission } from "./permissions.ts";

export type KnownKey = {
  key: Key;
  hash: Buffer;
  /** The secret before the last rotation, while it is good too. */
  previous?: { hash: Buffer; until: Instant };
};

export type KeyPage = {
  /** Behind this one. */
  after?: string | undefined;
  limit: number;
  /** Without those that are over then. */
  inForceAt?: Instant;
};

export type KnownKeys = {
  get(id: string): KnownKey | undefined;
  isInForce(id: string): boolean;
  all(): KnownKey[];
  /** In the order of their ids, which is that in which they were made. */
  page(page: KeyPage): KnownKey[];
  /** The latest one. */
  named(name: string): KnownKey | undefined;
  has(scope: KeyScope): boolean;
  /** Written down as well. */
  used(id: KeyId, at: Instant): void;
  /** After a change of this one through this connection. Reading all keys again would be felt by who comes next. */
  changed(id: KeyId): void;
  /** After a change that may not have come to be: the next look reads the table. */
  forget(): void;
  /** Of those that are over by now, none stays in memory. */
  dropEnded(): void;
};

type Row = typeof keyTable.$inferSelect;

export function createKnownKeys(database: Database, clock: Clock): KnownKeys {
  const { orm, sqlite } = database;
  const columns = getTableColumns(keyTable);
  const isId = eq(keyTable.id, sql.placeholder("id"));
  const byId = statement(sqlite, orm.select().from(keyTable).where(isId), columns);
  const inForce = (now: Instant) =>
    and(isNull(keyTable.revokedAt), or(isNull(keyTable.expiresAt), gt(keyTable.expiresAt, now)));
  const mirror = createMirror(database, () => {
    const rows = orm.select().from(keyTable).where(inForce(clock.now())).all();
    return new Map<string, KnownKey>(rows.map((row) => [row.id, knownOf(row)]));
  });
  const inTable = (id: string) => {
    const row = byId.get({ id });
    return row && knownOf(row);
  };
  return {
    get: (id) => mirror.get().get(id) ?? inTable(id),
    isInForce(id) {
      const known = mirror.get().get(id);
      return known !== undefined && endOf(known.key, clock.now()) === undefined;
    },
    all: () => orm.select().from(keyTable).all().map(knownOf),
    page({ after, limit, inForceAt }) {
      const isMeant = and(after === undefined ? undefined : gt(keyTable.id, after), inForceAt && inForce(inForceAt));
      return orm.select().from(keyTable).where(isMeant).orderBy(asc(keyTable.id)).limit(limit).all().map(knownOf);
    },
    named(name) {
      const latest = desc(keyTable.id);
      const row = orm.select().from(keyTable).where(eq(keyTable.name, name)).orderBy(latest).limit(1).get();
      return row && knownOf(row);
    },
    has: (scope) =>
      orm.select({ id: keyTable.id }).from(keyTable).where(eq(keyTable.scope, scope)).limit(1).get() !== undefined,
    used(id, at) {
      const known = mirror.get().get(id);
      if (known) mirror.get().set(id, { ...known, key: { ...known.key, lastUsedAt: at } });
    },
    changed(id) {
      const known = inTable(id);
      if (known && endOf(known.key, clock.now()) === undefined) mirror.get().set(id, known);
      else mirror.get().delete(id);
    },
    forget: mirror.forget,
    dropEnded() {
      const now = clock.now();
      for (const [id, { key }] of mirror.get()) if (endOf(key, now) !== undefined) mirror.get().delete(id);
    },
  };
}

const knownOf = (row: Row): KnownKey => ({
  key: keyOf(row),
  hash: Buffer.from(row.hash, "hex"),
  ...(row.previousHash !== null && {
    previous: { hash: Buffer.from(row.previousHash, "hex"), until: instant(row.previousUntil ?? 0) },
  }),
});

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

// SQL about what keys have filled. Callers of what changes it hold a transaction.
import { and, eq, sql } from "drizzle-orm";
import type { Database } from "../database/open.ts";
import { statement } from "../database/statement.ts";
import { roomTable } from "./room.table.ts";

export type Part = typeof roomTable.$inferSelect.part;

export type RoomStore = {
  /** Of a key's part, in bytes. */
  taken(key: string): number;
  /** `change` may be below 0. */
  add(key: string, change: number): void;
};

export function createRoomStore({ orm, sqlite }: Pick<Database, "orm" | "sqlite">, of: Part): RoomStore {
  const { key, part, bytes } = roomTable;
  const named = { key: sql.placeholder("key"), part: sql.placeholder("part") };
  const found = orm
    .select({ bytes })
    .from(roomTable)
    .where(and(eq(key, named.key), eq(part, named.part)));
  const added = orm
    .insert(roomTable)
    .values({ ...named, bytes: sql.placeholder("change") })
    .onConflictDoUpdate({ target: [key, part], set: { bytes: sql`${bytes} + excluded.bytes` } });
  const [find, add] = [statement(sqlite, found, { bytes }), statement(sqlite, added)];
  return {
    taken: (wanted) => find.get({ key: wanted, part: of })?.bytes ?? 0,
    add: (changed, change) => add.run({ key: changed, part: of, change }),
  };
}

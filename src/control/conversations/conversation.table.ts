// Tables of conversations that callers keep by id: what was said, item by item, and turns that are not over. Only this folder touches them.
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const conversationTable = sqliteTable(
  "conversation",
  {
    id: text().primaryKey(),
    key: text().notNull(),
    /** JSON: the caller's own marks, by name. */
    metadata: text().notNull(),
    createdAt: integer("created_at").notNull(),
    /** When something was last said in it or changed. */
    usedAt: integer("used_at").notNull(),
    /** Of its key's room: what it and all that was said in it take. */
    bytes: integer().notNull().default(0),
  },
  (table) => [index("conversation_used_at").on(table.usedAt)],
);

export const conversationItemTable = sqliteTable(
  "conversation_item",
  {
    conversation: text()
      .notNull()
      .references(() => conversationTable.id, { onDelete: "cascade" }),
    /** Grows; what one turn said has one place and several parts. */
    place: integer().notNull(),
    part: integer().notNull(),
    /** Of the item; null for a turn. */
    id: text(),
    /** JSON; null for a turn. */
    item: text(),
    /** Of a turn: the job that carries it out, and, until it is over, how many messages it was asked beyond those before it. */
    job: text(),
    asked: integer(),
    createdAt: integer("created_at").notNull(),
    /** Of its key's room; of a turn that is not over: with what it was asked. */
    bytes: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.conversation, table.place, table.part] }),
    index("conversation_item_age").on(table.createdAt),
    index("conversation_item_id").on(table.id).where(sql`id is not null`),
    index("conversation_item_job").on(table.job).where(sql`job is not null`),
  ],
);

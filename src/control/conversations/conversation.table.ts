// Tables of conversations that callers keep by id: what was said, item by item, and turns that are not over. Only this folder touches them.
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
    /** Of a turn: the job that carries it out, and how many messages it was asked beyond those before it. */
    job: text(),
    asked: integer(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversation, table.place, table.part] }),
    index("conversation_item_age").on(table.createdAt),
  ],
);

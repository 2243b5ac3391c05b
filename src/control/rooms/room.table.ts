// Table of what each key has filled of what all share. Only this folder touches it.
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const roomTable = sqliteTable(
  "room",
  {
    key: text().notNull(),
    part: text({ enum: ["uploads", "conversations", "batches", "jobs"] }).notNull(),
    bytes: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.key, table.part] })],
);

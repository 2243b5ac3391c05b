// Table of files that are to be removed: written together with the end of what they belong to. Only this folder touches it.
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const removalTable = sqliteTable(
  "file_removal",
  {
    /** Path of a file, or of a folder with all that is in it. */
    name: text().primaryKey(),
    attempts: integer().notNull().default(0),
    dueAt: integer("due_at").notNull(),
  },
  (table) => [index("file_removal_due").on(table.dueAt)],
);

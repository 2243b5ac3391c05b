// Table of what a key wants for its files where a request says nothing. Only this folder touches it.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const fileDefaultTable = sqliteTable("file_default", {
  key: text().primaryKey(),
  /** JSON of acl.ts; null: anyone may read. */
  acl: text(),
  /** Milliseconds; null: for ever. */
  keepFor: integer("keep_for"),
});

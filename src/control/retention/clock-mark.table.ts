// Table of one row: the time that this box went by last.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const clockMarkTable = sqliteTable("clock_mark", {
  id: integer().primaryKey(),
  at: integer().notNull(),
  /** Which start of the machine that was, and how long after it. */
  boot: text(),
  uptimeMs: integer("uptime_ms"),
  /** How long the clock has been far ahead of that time; null where it is not. */
  doubtedMs: integer("doubted_ms"),
});

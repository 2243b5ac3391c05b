// What running models taught: how much each is asked for, and what it takes on each device. Only this folder touches it.
import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const popularityTable = sqliteTable("model_popularity", {
  model: text().primaryKey(),
  /** What of its requests is remembered (popularity.ts), true at `at`. */
  lately: real().notNull().default(0),
  long: real().notNull().default(0),
  followed: real().notNull().default(0),
  requests: real().notNull().default(0),
  at: integer().notNull(),
  /** When it was first asked for. */
  since: integer().notNull().default(0),
});

export const measureTable = sqliteTable(
  "model_measure",
  {
    model: text().notNull(),
    device: text().notNull(),
    /** The most that its runner was seen to hold, in bytes. */
    memory: integer(),
    loadMs: real("load_ms"),
    /** Of one job. */
    runMs: real("run_ms"),
  },
  (table) => [primaryKey({ columns: [table.model, table.device] })],
);

// What running models taught: how much each is asked for, and what it takes on each device. Only this folder touches it.
import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const popularityTable = sqliteTable("model_popularity", {
  model: text().primaryKey(),
  /** Requests that fade within half a minute, an hour, a day (popularity.ts), true at `at`. */
  sitting: real().notNull(),
  hour: real().notNull(),
  day: real().notNull(),
  at: integer().notNull(),
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

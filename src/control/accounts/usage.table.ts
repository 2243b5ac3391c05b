// Tables of what was used: reservations of open jobs, one row for each finished one, and sums of those rows.
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What an open job may come to; goes with its end. */
export const reservationTable = sqliteTable("reservation", {
  job: text().primaryKey(),
  key: text().notNull(),
  team: text(),
  model: text().notNull(),
  /** Of the job's admission: decides in which hour, day and month it counts. */
  at: integer().notNull(),
  /** JSON of `Amounts`: what is set aside, of units that a budget counts. */
  amounts: text().notNull(),
});

/** Append-only. */
export const usageTable = sqliteTable(
  "usage",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    job: text().notNull().unique(),
    key: text().notNull(),
    team: text(),
    model: text().notNull(),
    endpoint: text().notNull(),
    /** JSON. */
    tags: text(),
    outcome: text({ enum: ["done", "failed", "cancelled"] }).notNull(),
    /** Error code of a failure. */
    failure: text(),
    device: text(),
    /** JSON: micros by unit; what counts, i.e. nothing for what failed. */
    units: text().notNull(),
    /** Nanos of the currency. */
    cost: integer().notNull(),
    currency: text().notNull(),
    admittedAt: integer("admitted_at").notNull(),
    endedAt: integer("ended_at").notNull(),
    queueMs: integer("queue_ms"),
    loadMs: integer("load_ms"),
    runMs: integer("run_ms"),
  },
  (table) => [index("usage_by_time").on(table.admittedAt)],
);

export const usageTotalTable = sqliteTable(
  "usage_total",
  {
    period: text({ enum: ["hour", "day", "month"] }).notNull(),
    start: integer().notNull(),
    by: text({ enum: ["all", "key", "team", "model", "tag", "key_model"] }).notNull(),
    /** A key's id, a team's name, a model's id, `name=value`, `<key> <model>`; empty for all. */
    value: text().notNull(),
    currency: text().notNull(),
    requests: integer().notNull(),
    failed: integer().notNull(),
    cancelled: integer().notNull(),
    cost: integer().notNull(),
    runMs: integer("run_ms").notNull(),
    /** JSON: micros by unit. */
    units: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.period, table.by, table.start, table.value, table.currency] })],
);

/** One row: up to which `seq` the sums go. */
export const usageMarkTable = sqliteTable("usage_mark", {
  id: integer().primaryKey(),
  seq: integer().notNull(),
});

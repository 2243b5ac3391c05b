// Table of alerts: what was noticed once in its window, and its way to the receiver. Only this folder touches it.
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { deliveryColumns } from "../webhooks/delivery-columns.table.ts";

export const alertTable = sqliteTable(
  "alert",
  {
    /** The alert's id; named as the outbox names what a delivery is about. */
    job: text("id").primaryKey(),
    ...deliveryColumns,
    /** `key-spend`, `disk-low`... */
    rule: text().notNull(),
    /** What it is about: the id of a key, a model, a device. */
    subject: text().notNull(),
    /** Where its window began; the same is not told twice in it. */
    windowStart: integer("window_start").notNull(),
    /** JSON, as it is sent. */
    body: text().notNull(),
  },
  (table) => [
    uniqueIndex("alert_once").on(table.rule, table.subject, table.windowStart),
    index("alert_due").on(table.dueAt, table.host, table.owner).where(sql`status = 'pending'`),
  ],
);

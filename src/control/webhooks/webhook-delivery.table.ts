// Table of webhooks: the outbox that is written together with a job's beginning and end. Only this folder touches it.
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { jobTable } from "../jobs/job.table.ts";

export const webhookDeliveryTable = sqliteTable(
  "webhook_delivery",
  {
    job: text()
      .primaryKey()
      .references(() => jobTable.id, { onDelete: "cascade" }),
    url: text().notNull(),
    /** Host and port of `url`: what the limit of simultaneous attempts counts. */
    host: text().notNull(),
    /** URLs of files in the payload begin with it: how the submitter reached this box. */
    origin: text().notNull(),
    /** waiting: its job has not ended. pending: to be sent at `dueAt`. dead: given up. */
    status: text({ enum: ["waiting", "pending", "delivered", "dead"] }).notNull(),
    /** Of the present round; a replay begins a new one. */
    attempts: integer().notNull().default(0),
    createdAt: integer("created_at").notNull(),
    /** When the job ended. */
    endedAt: integer("ended_at"),
    dueAt: integer("due_at"),
    /** When it was delivered or given up. */
    settledAt: integer("settled_at"),
    /** What the receiver answered last, where it did. */
    httpStatus: integer("http_status"),
    /** Why the last attempt failed. */
    reason: text(),
  },
  (table) => [
    index("webhook_due").on(table.dueAt, table.host).where(sql`status = 'pending'`),
    index("webhook_by_status").on(table.status, table.job),
  ],
);

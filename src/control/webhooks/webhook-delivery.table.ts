// Table of webhooks: the outbox that is written together with a job's beginning and end. Only this folder touches it.
import { sql } from "drizzle-orm";
import { index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { jobTable } from "../jobs/job.table.ts";
import { deliveryColumns } from "./delivery-columns.table.ts";

export const webhookDeliveryTable = sqliteTable(
  "webhook_delivery",
  {
    job: text()
      .primaryKey()
      .references(() => jobTable.id, { onDelete: "cascade" }),
    ...deliveryColumns,
  },
  (table) => [
    index("webhook_due").on(table.dueAt, table.host, table.owner).where(sql`status = 'pending'`),
    index("webhook_places").on(table.owner, table.host, table.dueAt).where(sql`status = 'pending'`),
    index("webhook_by_status").on(table.status, table.job),
  ],
);

// Every SQL statement about alerts but those of their delivery, which are the outbox's.
import { desc } from "drizzle-orm";
import type { Database } from "../database/open.ts";
import { createOutboxStore, type OutboxStore } from "../webhooks/outbox-store.ts";
import type { webhookDeliveryTable } from "../webhooks/webhook-delivery.table.ts";
import { alertTable } from "./alert.table.ts";

export type AlertRow = typeof alertTable.$inferSelect;

export type AlertStore = {
  /** False when the same alert was raised in its window before. Callers hold a transaction. */
  insert(row: typeof alertTable.$inferInsert): boolean;
  /** Latest first. */
  list(limit: number): AlertRow[];
  outbox: Pick<OutboxStore, "next" | "nextDueAt" | "settle">;
};

export function createAlertStore(database: Database): AlertStore {
  const { orm } = database;
  return {
    insert: (row) =>
      orm.insert(alertTable).values(row).onConflictDoNothing().returning({ id: alertTable.job }).get() !== undefined,
    list: (limit) => orm.select().from(alertTable).orderBy(desc(alertTable.job)).limit(limit).all(),
    // It has all columns of the other under the same names; more than the type says come along.
    outbox: createOutboxStore(database, alertTable as unknown as typeof webhookDeliveryTable),
  };
}

// Every SQL statement about alerts but those of their delivery, which are the outbox's.
import { and, desc, eq, lt, ne } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createOutboxStore, type OutboxStore } from "../webhooks/outbox-store.ts";
import type { webhookDeliveryTable } from "../webhooks/webhook-delivery.table.ts";
import { alertTable } from "./alert.table.ts";

export type AlertRow = typeof alertTable.$inferSelect;

export type AlertStore = {
  /** False when the same alert was raised in its window before. Callers hold a transaction. */
  insert(row: typeof alertTable.$inferInsert): boolean;
  /** What is still to be sent goes there; without a URL it is kept to be looked at. Callers hold a transaction. */
  redirect(receiver: { url: string; host: string }): void;
  /** Latest first. */
  list(limit: number): AlertRow[];
  /** Those that are still to be sent stay. Callers hold a transaction. */
  removeBefore(before: Instant): void;
  outbox: Pick<OutboxStore, "next" | "nextDueAt" | "pullIn" | "settle">;
};

export function createAlertStore(database: Database): AlertStore {
  const { orm } = database;
  return {
    insert: (row) =>
      orm.insert(alertTable).values(row).onConflictDoNothing().returning({ id: alertTable.job }).get() !== undefined,
    redirect: (receiver) => {
      orm
        .update(alertTable)
        .set({ ...receiver, ...(receiver.url === "" && { status: "waiting", dueAt: null }) })
        .where(and(eq(alertTable.status, "pending"), ne(alertTable.url, receiver.url)))
        .run();
    },
    removeBefore: (before) => {
      orm
        .delete(alertTable)
        .where(and(lt(alertTable.createdAt, before), ne(alertTable.status, "pending")))
        .run();
    },
    list: (limit) => orm.select().from(alertTable).orderBy(desc(alertTable.job)).limit(limit).all(),
    // It has all columns of the other under the same names; more than the type says come along.
    outbox: createOutboxStore(database, alertTable as unknown as typeof webhookDeliveryTable),
  };
}

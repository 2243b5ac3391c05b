// Every SQL statement about the audit log: adding to it and reading it.
import { and, desc, eq, gte, lt, type SQL } from "drizzle-orm";
import { instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Act, AuditEntry, AuditPage } from "./act.ts";
import { auditTable } from "./audit.table.ts";

/** Callers of `insert` hold a transaction. */
export type AuditStore = {
  insert(entry: AuditEntry): void;
  /** Latest first. */
  list(page: AuditPage): AuditEntry[];
};

export function createAuditStore({ orm }: Pick<Database, "orm">): AuditStore {
  const entry = auditTable;
  return {
    insert: ({ details, requestId = null, ...row }) => {
      orm
        .insert(entry)
        .values({ ...row, requestId, details: JSON.stringify(details) })
        .run();
    },
    list({ actor, since, before, limit }) {
      const filters: SQL[] = [];
      if (actor !== undefined) filters.push(eq(entry.actor, actor));
      if (since !== undefined) filters.push(gte(entry.at, since));
      if (before !== undefined) filters.push(lt(entry.id, before));
      return orm
        .select()
        .from(entry)
        .where(and(...filters))
        .orderBy(desc(entry.id))
        .limit(limit)
        .all()
        .map(entryOf);
    },
  };
}

const entryOf = ({ at, details, requestId, ...row }: typeof auditTable.$inferSelect): AuditEntry => ({
  ...row,
  at: instant(at),
  details: JSON.parse(details) as Act["details"], // written above
  ...(requestId !== null && { requestId }),
});

// The audit log: who did which administrative act, when, from where, and what came of it.
import type { Clock } from "../../core/clock.ts";
import type { Database } from "../database/open.ts";
import type { Act, AuditEntry, AuditPage } from "./act.ts";
import { createAuditStore } from "./audit-store.ts";

export type Audit = {
  /** On disk when it returns, power cut or not: acts are rare. */
  record(act: Act): void;
  /** Latest first. */
  list(page: AuditPage): AuditEntry[];
};

export function createAudit({ database, clock }: { database: Database; clock: Clock }): Audit {
  const store = createAuditStore(database);
  return {
    record(act) {
      database.write(() => store.insert({ ...act, id: Bun.randomUUIDv7(), at: clock.now() }));
      database.flush();
    },
    list: store.list,
  };
}

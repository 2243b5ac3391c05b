// The audit log: who did which administrative act, when, from where, and what came of it.
import type { Clock } from "../../core/clock.ts";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createAuditStore } from "./audit-store.ts";

export type Act = {
  /** Id of the key, or `os:<account>` of a command. */
  actor: string;
  /** Where it was done from: an address or the name of the machine. */
  origin: string;
  /** `POST /admin/v1/keys` or `forecourt keys create`. */
  action: string;
  /** What it was about; never secrets. */
  details: Record<string, unknown>;
  /** `refused`: it was not allowed, or asked for wrongly. */
  outcome: "done" | "refused" | "failed";
  /** Status of the answer, or exit code of the command. */
  code: number;
  requestId?: string;
};

export type AuditEntry = Act & { id: string; at: Instant };

/** `before` is the id of the last entry of the page before. */
export type AuditPage = { actor?: string; since?: Instant; before?: string; limit: number };

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

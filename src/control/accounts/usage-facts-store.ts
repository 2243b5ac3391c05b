// What statistics are made of: how each request ended and how long it took, by the rows of the ledger, which those have too that
// were never written as jobs.
import { and, eq, gte, inArray, lt, or } from "drizzle-orm";
import type { ErrorCode } from "../../core/errors.ts";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { usageTable } from "./usage.table.ts";

export type FactQuery = {
  /** By the time of admission; `until` is not included. */
  since: Instant;
  until: Instant;
  /** Ids under which models were called, or the models' own. */
  endpoints: string[];
  /** Absent: everybody's. */
  key?: string;
};

/** Times in milliseconds; null for what did not succeed. */
export type UsageFact = {
  model: string;
  endpoint: string;
  outcome: "done" | "failed" | "cancelled";
  code: ErrorCode | null;
  queueMs: number | null;
  loadMs: number | null;
  runMs: number | null;
};

/** Blocks for about a microsecond a row: callers ask for a long time in parts. */
export function readFacts({ orm }: Pick<Database, "orm">, { since, until, endpoints, key }: FactQuery): UsageFact[] {
  const { model, endpoint, outcome, failure, queueMs, loadMs, runMs, admittedAt } = usageTable;
  return orm
    .select({ model, endpoint, outcome, code: failure, queueMs, loadMs, runMs })
    .from(usageTable)
    .where(
      and(
        gte(admittedAt, since),
        lt(admittedAt, until),
        or(inArray(model, endpoints), inArray(endpoint, endpoints)),
        key === undefined ? undefined : eq(usageTable.key, key),
      ),
    )
    .all()
    .map(({ code, ...row }) => ({ ...row, code: code as ErrorCode | null })); // as bookkeeping.ts wrote it
}

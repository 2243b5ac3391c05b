// What was spent since a moment, by key, by team and in all: the one question that alerts have for the ledger.
import { gte, sql } from "drizzle-orm";
import type { Nanos } from "../../core/money.ts";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { usageTable } from "./usage.table.ts";

export type Spend = { key: string; team: string | null; currency: string; cost: Nanos };

/** One row for each key, team and currency that spent anything since. */
export const createSpendStore =
  ({ orm }: Pick<Database, "orm">) =>
  (since: Instant): Spend[] =>
    orm
      .select({
        key: usageTable.key,
        team: usageTable.team,
        currency: usageTable.currency,
        cost: sql<Nanos>`sum(${usageTable.cost})`,
      })
      .from(usageTable)
      .where(gte(usageTable.admittedAt, since))
      .groupBy(usageTable.key, usageTable.team, usageTable.currency)
      .all();

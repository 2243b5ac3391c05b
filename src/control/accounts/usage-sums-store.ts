// What was used and what it cost, summed up by the database: by endpoint, model, key and currency, for any span of time.
import { and, gte, inArray, lt, or, type SQL, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { usageTable } from "./usage.table.ts";

export type SumQuery = {
  /** By the time of admission; `until` is not included. */
  since: Instant;
  until: Instant;
  /** Ids under which models were called, or the models' own. Absent: all. */
  endpoints?: string[];
  keys?: string[];
};

export type UsageSum = {
  endpoint: string;
  model: string;
  key: string;
  currency: string;
  /** Nanos of the currency. */
  cost: number;
  /** Micros by unit. */
  units: Record<string, number>;
};

const { endpoint, model, key, currency, cost, units } = usageTable;
const PLACE = { endpoint, model, key, currency };
const group = [endpoint, model, key, currency];

/** Blocks for about a microsecond a row: callers ask for a long time in parts. */
export function sumUsage({ orm }: Pick<Database, "orm">, query: SumQuery): UsageSum[] {
  const costs = orm
    .select({ ...PLACE, cost: sql<number>`sum(${cost})` })
    .from(usageTable)
    .where(matches(query))
    .groupBy(...group)
    .all();
  const amounts = orm
    .select({ ...PLACE, unit: sql<string>`unit.key`, amount: sql<number>`sum(unit.value)` })
    .from(usageTable)
    .innerJoin(sql`json_each(${units}) as unit`, sql`true`)
    .where(matches(query))
    .groupBy(...group, sql`unit.key`)
    .all();
  return costs.map((sum) => {
    const own = amounts.filter((each) => placeOf(each) === placeOf(sum));
    return { ...sum, units: Object.fromEntries(own.map(({ unit, amount }) => [unit, amount])) };
  });
}

const placeOf = (sum: Pick<UsageSum, "endpoint" | "model" | "key" | "currency">) =>
  [sum.endpoint, sum.model, sum.key, sum.currency].join(" ");

const matches = ({ since, until, endpoints, keys }: SumQuery): SQL | undefined =>
  and(
    gte(usageTable.admittedAt, since),
    lt(usageTable.admittedAt, until),
    endpoints && or(inArray(endpoint, endpoints), inArray(model, endpoints)),
    keys && inArray(key, keys),
  );

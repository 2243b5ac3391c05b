// What was spent in a window, by key, by team or in all: the one question that alerts have for the ledger. Read as budgets
// are: from the sums, and from the few rows that are not in them yet.
import { and, eq, isNotNull, sql } from "drizzle-orm";
import type { Nanos } from "../../core/money.ts";
import type { Database } from "../database/open.ts";
import { usageTable, usageTotalTable } from "./usage.table.ts";
import { isInTail, markIn } from "./usage-store.ts";
import type { TimeWindow, WindowName } from "./windows.ts";

const SPENDERS = ["key", "team", "all"] as const;
export type Spender = (typeof SPENDERS)[number];

/** `subject`: id of a key, name of a team; empty for all. */
export type Spend = { subject: string; currency: string; cost: Nanos };

export type SpendIn = (by: Spender, window: TimeWindow & { name: WindowName }) => Spend[];

const SUBJECT = {
  key: sql<string>`${usageTable.key}`,
  team: sql<string>`${usageTable.team}`,
  all: sql<string>`''`,
} satisfies Record<Spender, unknown>;

export function createSpendStore({ orm, write }: Pick<Database, "orm" | "write">): SpendIn {
  const summed: SpendIn = (by, { name, start }) => {
    const { period, by: aspect, start: from, value: subject, currency, cost } = usageTotalTable;
    return orm
      .select({ subject, currency, cost: sql<Nanos>`${cost}` })
      .from(usageTotalTable)
      .where(and(eq(period, name), eq(aspect, by), eq(from, start)))
      .all();
  };
  const tail: SpendIn = (by, { start, end }) => {
    const { currency, cost, team } = usageTable;
    return orm
      .select({ subject: SUBJECT[by], currency, cost: sql<Nanos>`sum(${cost})` })
      .from(usageTable)
      .where(and(isInTail({ mark: markIn(orm), start, end }), ...(by === "team" ? [isNotNull(team)] : [])))
      .groupBy(SUBJECT[by], currency)
      .all();
  };
  // In a transaction, because another process may move rows into the sums meanwhile.
  return (by, window) => write(() => merged([...summed(by, window), ...tail(by, window)]));
}

function merged(spends: Spend[]): Spend[] {
  const sums = new Map<string, Spend>();
  for (const each of spends) {
    const place = `${each.currency} ${each.subject}`;
    sums.set(place, { ...each, cost: ((sums.get(place)?.cost ?? 0) + each.cost) as Nanos });
  }
  return [...sums.values()];
}

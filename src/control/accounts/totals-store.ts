// Sums of usage rows by hour, day and month: which rows are in them is written in the same transaction as they are.
import { and, asc, eq, getTableColumns, gt, gte, lt, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { placeholders } from "../database/placeholders.ts";
import { usageMarkTable, usageTable, usageTotalTable } from "./usage.table.ts";
import { markIn, quantities, type UsageRow } from "./usage-store.ts";
import { WINDOW_NAMES, type WindowName, windowAt } from "./windows.ts";

export type Total = Omit<typeof usageTotalTable.$inferSelect, "units"> & { units: Record<string, number> };
export type TotalBy = Total["by"];
export type TotalQuery = { by: TotalBy; period: WindowName; since: Instant; until: Instant };

export type TotalsStore = {
  /** Takes up to `limit` further rows into the sums; false when there were none. */
  rollUp(limit: number): boolean;
  read(query: TotalQuery): Total[];
};

const MARK = 1;

export function createTotalsStore({ orm, write }: Pick<Database, "orm" | "write">): TotalsStore {
  const total = usageTotalTable;
  const run = prepareAll(orm);
  const save = (sum: Total) => {
    const { period, by, start, value, currency } = sum;
    const known = run.find.get({ period, by, start, value, currency });
    const all = known ? add(sum, { ...known, units: quantities(known.units) }) : sum;
    run.save.run({ ...all, units: JSON.stringify(all.units) });
  };
  return {
    rollUp: (limit) =>
      write(() => {
        const rows = orm
          .select()
          .from(usageTable)
          .where(gt(usageTable.seq, markIn(orm)))
          .orderBy(asc(usageTable.seq))
          .limit(limit)
          .all();
        const last = rows.at(-1);
        if (!last) return false;
        for (const sum of sumsOf(rows)) save(sum);
        orm
          .insert(usageMarkTable)
          .values({ id: MARK, seq: last.seq })
          .onConflictDoUpdate({ target: usageMarkTable.id, set: { seq: sql`excluded.seq` } })
          .run();
        return true;
      }),
    read: ({ by, period, since, until }) =>
      orm
        .select()
        .from(total)
        .where(and(eq(total.period, period), eq(total.by, by), gte(total.start, since), lt(total.start, until)))
        .orderBy(asc(total.start), asc(total.value))
        .all()
        .map((row) => ({ ...row, units: quantities(row.units) })),
  };
}

function prepareAll(orm: Database["orm"]) {
  const total = usageTotalTable;
  const place = [total.period, total.by, total.start, total.value, total.currency];
  const columns = getTableColumns(total);
  const latest = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, sql`excluded.${sql.identifier(column.name)}`]),
  );
  return {
    find: orm
      .select()
      .from(total)
      .where(and(...place.map((column) => eq(column, sql.placeholder(column.name)))))
      .prepare(),
    save: orm.insert(total).values(placeholders(columns)).onConflictDoUpdate({ target: place, set: latest }).prepare(),
  };
}

/** One for each period, aspect and value that the rows touch: days and months are sums of their hours. */
function sumsOf(rows: UsageRow[]): Total[] {
  const hours = merged(rows.flatMap((row) => aspectsOf(row).map(([by, value]) => totalOf(row, { by, value }))));
  const longer = WINDOW_NAMES.filter((period) => period !== "hour").map((period) =>
    merged(hours.map((hour) => ({ ...hour, period, start: windowAt(hour.start, period).start }))),
  );
  return [hours, ...longer].flat();
}

/** Totals of the same place as one. */
function merged(totals: Total[]): Total[] {
  const sums = new Map<string, Total>();
  for (const one of totals) {
    const place = `${one.by} ${one.start} ${one.currency} ${one.value}`;
    const known = sums.get(place);
    sums.set(place, known ? add(known, one) : one);
  }
  return [...sums.values()];
}

function aspectsOf({ key, team, model, tags }: UsageRow): [TotalBy, string][] {
  const named = Object.entries(JSON.parse(tags ?? "{}") as Record<string, string>);
  return [
    ["all", ""],
    ["key", key],
    ["model", model],
    ["key_model", `${key} ${model}`],
    ...(team === null ? [] : ([["team", team]] as [TotalBy, string][])),
    ...named.map(([name, value]): [TotalBy, string] => ["tag", `${name}=${value}`]),
  ];
}

/** In its hour. */
function totalOf(row: UsageRow, { by, value }: Pick<Total, "by" | "value">): Total {
  return {
    ...{ by, value, period: "hour", start: windowAt(row.admittedAt, "hour").start, currency: row.currency },
    requests: 1,
    failed: row.outcome === "failed" ? 1 : 0,
    cancelled: row.outcome === "cancelled" ? 1 : 0,
    cost: row.cost,
    runMs: row.runMs ?? 0,
    units: quantities(row.units),
  };
}

/** Of the same place: `a`'s. */
export function add(a: Total, b: Total): Total {
  const units = { ...a.units };
  for (const [unit, amount] of Object.entries(b.units)) units[unit] = (units[unit] ?? 0) + amount;
  return {
    ...a,
    requests: a.requests + b.requests,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
    cost: a.cost + b.cost,
    runMs: a.runMs + b.runMs,
    units,
  };
}

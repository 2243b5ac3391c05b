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
        const rows = run.further.all({ after: markIn(orm), limit });
        const last = rows.at(-1);
        if (!last) return false;
        for (const sum of sumsOf(rows)) save(sum);
        run.setMark.run({ seq: last.seq });
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
    setMark: orm
      .insert(usageMarkTable)
      .values({ id: MARK, seq: sql.placeholder("seq") })
      .onConflictDoUpdate({ target: usageMarkTable.id, set: { seq: sql`excluded.seq` } })
      .prepare(),
    further: orm
      .select()
      .from(usageTable)
      .where(gt(usageTable.seq, sql.placeholder("after")))
      .orderBy(asc(usageTable.seq))
      .limit(sql.placeholder("limit"))
      .prepare(),
    save: orm.insert(total).values(placeholders(columns)).onConflictDoUpdate({ target: place, set: latest }).prepare(),
  };
}

/** One for each period, aspect and value that the rows touch: days and months are sums of their hours. */
function sumsOf(rows: UsageRow[]): Total[] {
  const hours = merged(alike(rows).flatMap(({ row, sum }) => aspectsOf(row).map((aspect) => ({ ...sum, ...aspect }))));
  const longer = WINDOW_NAMES.filter((period) => period !== "hour").map((period) =>
    merged(hours.map((hour) => ({ ...hour, period, start: windowAt(hour.start, period).start }))),
  );
  return [hours, ...longer].flat();
}

/** Rows that differ in what is summed up alone, as one: most of a busy box's are of a few keys and models. */
function alike(rows: UsageRow[]): { row: UsageRow; sum: Total }[] {
  const groups = new Map<string, { row: UsageRow; sum: Total }>();
  for (const row of rows) {
    const one = totalOf(row);
    const name = JSON.stringify([one.start, row.currency, row.key, row.team, row.model, row.tags]);
    const known = groups.get(name);
    groups.set(name, { row, sum: known ? add(known.sum, one) : one });
  }
  return [...groups.values()];
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

function aspectsOf({ key, team, model, tags }: UsageRow): Pick<Total, "by" | "value">[] {
  const named = Object.entries(JSON.parse(tags ?? "{}") as Record<string, string>);
  return [
    { by: "all", value: "" },
    { by: "key", value: key },
    { by: "model", value: model },
    { by: "key_model", value: `${key} ${model}` },
    ...(team === null ? [] : [{ by: "team" as const, value: team }]),
    ...named.map(([name, value]) => ({ by: "tag" as const, value: `${name}=${value}` })),
  ];
}

/** In its hour, of all together. */
function totalOf(row: UsageRow): Total {
  return {
    ...{ by: "all", value: "", period: "hour", start: windowAt(row.admittedAt, "hour").start, currency: row.currency },
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

// Sums of usage rows by hour, day and month: which rows are in them is written in the same transaction as they are.
import { and, asc, desc, eq, getTableColumns, gt, gte, inArray, lt, sql } from "drizzle-orm";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { placeholders } from "../database/placeholders.ts";
import { statement } from "../database/statement.ts";
import { usageMarkTable, usageTable, usageTotalTable } from "./usage.table.ts";
import { quantities } from "./usage-store.ts";
import { LENGTH_MS, type TimeWindow, WINDOW_NAMES, type WindowName, windowAt } from "./windows.ts";

export type Total = Omit<typeof usageTotalTable.$inferSelect, "units"> & { units: Record<string, number> };
export type TotalBy = Total["by"];
export type TotalQuery = { by: TotalBy; period: WindowName; since: Instant; until: Instant };

export type TotalsStore = {
  /** Takes up to `limit` further rows into the sums; false when no others can be left. */
  rollUp(limit: number): boolean;
  /** By their times and then their values, at most so many of those that come after `after`. */
  page(query: TotalQuery, page: { after?: Total | undefined; limit: number }): Total[];
  /** How many that would be. */
  count(query: TotalQuery): number;
  /** What a key's jobs on a model came to, of those that were done, by whole days. */
  ofCalls(calls: { key: string; model: string; since: Instant; until: Instant }): {
    done: number;
    /** Micros by unit. */
    units: Record<string, number>;
  };
  /** From the beginning of the first hour that has sums to the end of the last; undefined where there are none. */
  span(): TimeWindow | undefined;
};

const MARK = 1;

/**
 * Sums are kept for ever, and tags are callers' own words: one with a tag of its own for each request would leave thirty sums of each.
 * Beyond so many tags of an hour, a day or a month the further ones are summed up as one; the rows still tell them apart.
 */
const MOST_TAGS: Record<WindowName, number> = { hour: 1_000, day: 5_000, month: 20_000 };
export const OTHER_TAGS = "*";

export function createTotalsStore(
  { orm, sqlite, write }: Pick<Database, "orm" | "sqlite" | "write">,
  mostTags = MOST_TAGS,
): TotalsStore {
  const total = usageTotalTable;
  const run = prepareAll({ orm, sqlite });
  const tags = createTagCounts((place) => run.tagCount.get(place)?.count ?? 0);
  const save = (sum: Total): void => {
    const { period, by, start, value, currency } = sum;
    const known = run.find.get({ period, by, start, value, currency });
    const isNewTag = !known && by === "tag" && value !== OTHER_TAGS;
    if (isNewTag && tags.next({ period, start }) > mostTags[period]) {
      save({ ...sum, value: OTHER_TAGS });
      return;
    }
    const all = known ? add(sum, { ...known, units: quantities(known.units) }) : sum;
    run.save.run({ ...all, units: JSON.stringify(all.units) });
  };
  return {
    rollUp: (limit) =>
      write(() => {
        const alike = run.alike.all({ mark: run.mark.get({})?.seq ?? 0, limit });
        if (alike.length === 0) return false;
        for (const sum of sumsOf(alike)) save(sum);
        run.setMark.run({ seq: Math.max(...alike.map(({ last }) => last)) });
        return alike.reduce((rows, { requests }) => rows + requests, 0) >= limit;
      }),
    count: (query) => orm.select({ count: sql<number>`count(*)` }).from(total).where(isIn(query)).get()?.count ?? 0,
    ofCalls({ key, model, since, until }) {
      const isMeant = and(
        ...[eq(total.period, "day"), eq(total.by, "key_model"), eq(total.value, `${key} ${model}`)],
        // Each by itself: the sums of a day lie together, whoever's they are.
        inArray(total.start, daysOf({ since, until })),
      );
      const sums = { done: 0, units: {} as Record<string, number> };
      for (const row of orm.select().from(total).where(isMeant).all()) {
        sums.done += row.requests - row.failed - row.cancelled;
        for (const [unit, amount] of Object.entries(quantities(row.units)))
          sums.units[unit] = (sums.units[unit] ?? 0) + amount;
      }
      return sums;
    },
    span() {
      const isAnHour = and(eq(total.period, "hour"), eq(total.by, "all"));
      const edge = (order: typeof asc) =>
        orm.select({ start: total.start }).from(total).where(isAnHour).orderBy(order(total.start)).limit(1).get();
      const [first, last] = [edge(asc), edge(desc)];
      return first && last && { start: instant(first.start), end: windowAt(last.start, "hour").end };
    },
    page: (query, { after, limit }) =>
      orm
        .select()
        .from(total)
        .where(and(isIn(query), after && isAfter(after)))
        .orderBy(asc(total.start), asc(total.value), asc(total.currency))
        .limit(limit)
        .all()
        .map((row) => ({ ...row, units: quantities(row.units) })),
  };
}

function daysOf({ since, until }: Pick<TotalQuery, "since" | "until">): Instant[] {
  const days: Instant[] = [];
  for (let day = windowAt(since, "day"); day.start < until; day = windowAt(day.end, "day")) days.push(day.start);
  return days;
}

const isIn = ({ by, period, since, until }: TotalQuery) =>
  and(
    eq(usageTotalTable.period, period),
    eq(usageTotalTable.by, by),
    gte(usageTotalTable.start, since),
    lt(usageTotalTable.start, until),
  );

/** In the order of the primary key. */
const isAfter = ({ start, value, currency }: Total) =>
  sql`(${usageTotalTable.start}, ${usageTotalTable.value}, ${usageTotalTable.currency}) > (${start}, ${value}, ${currency})`;

/** How many there are in each period with the next one; counted once, as long as periods are few. */
function createTagCounts(count: (place: Pick<Total, "period" | "start">) => number) {
  const counts = new Map<string, number>();
  return {
    next(place: Pick<Total, "period" | "start">): number {
      const id = `${place.period} ${place.start}`;
      const next = (counts.get(id) ?? count(place)) + 1;
      if (counts.size >= PERIODS_COUNTED) counts.clear();
      counts.set(id, next);
      return next;
    },
  };
}

/** Those that jobs are admitted in now, and some of those whose jobs end late. */
const PERIODS_COUNTED = 100;

function prepareAll({ orm, sqlite }: Pick<Database, "orm" | "sqlite">) {
  const total = usageTotalTable;
  const place = [total.period, total.by, total.start, total.value, total.currency];
  const columns = getTableColumns(total);
  const latest = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, sql`excluded.${sql.identifier(column.name)}`]),
  );
  const next = orm
    .select()
    .from(usageTable)
    .where(gt(usageTable.seq, sql.placeholder("mark")))
    .orderBy(asc(usageTable.seq))
    .limit(sql.placeholder("limit"))
    .as("next");
  const { key, team, model, tags, outcome, units, currency } = next;
  const kind = { key, team, model, tags, outcome, units, currency };
  const sums = {
    hour: sql<number>`${next.admittedAt} / ${LENGTH_MS.hour}`,
    requests: sql<number>`count(*)`,
    cost: sql<number>`sum(${next.cost})`,
    runMs: sql<number>`coalesce(sum(${next.runMs}), 0)`,
    last: sql<number>`max(${next.seq})`,
  };
  const alike = { ...kind, ...sums };
  const isPlace = and(...place.map((column) => eq(column, sql.placeholder(column.name))));
  const saved = orm.insert(total).values(placeholders(columns)).onConflictDoUpdate({ target: place, set: latest });
  const mark = { seq: usageMarkTable.seq };
  const marked = orm
    .insert(usageMarkTable)
    .values({ id: MARK, seq: sql`${sql.placeholder("seq")}` })
    .onConflictDoUpdate({ target: usageMarkTable.id, set: { seq: sql`excluded.seq` } });
  const tagCount = { count: sql<number>`count(*)` };
  const isTag = and(
    eq(total.by, "tag"),
    ...[total.period, total.start].map((column) => eq(column, sql.placeholder(column.name))),
  );
  const groups = [...Object.values(kind), sums.hour];
  return {
    find: statement(sqlite, orm.select().from(total).where(isPlace), columns),
    save: statement(sqlite, saved),
    tagCount: statement(sqlite, orm.select(tagCount).from(total).where(isTag), tagCount),
    mark: statement(sqlite, orm.select(mark).from(usageMarkTable), mark),
    setMark: statement(sqlite, marked),
    alike: statement(
      sqlite,
      orm
        .select(alike)
        .from(next)
        .groupBy(...groups),
      alike,
    ),
  };
}

type Alike = NonNullable<ReturnType<ReturnType<typeof prepareAll>["alike"]["get"]>>;

/** One for each period, aspect and value that the rows touch: days and months are sums of their hours. */
function sumsOf(alike: Alike[]): Total[] {
  const hours = merged(alike.flatMap((rows) => aspectsOf(rows).map(([by, value]) => totalOf(rows, { by, value }))));
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

function aspectsOf({ key, team, model, tags }: Alike): [TotalBy, string][] {
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

function totalOf(rows: Alike, { by, value }: Pick<Total, "by" | "value">): Total {
  const { outcome, requests, cost, runMs, currency } = rows;
  const units = Object.entries(quantities(rows.units)).map(([unit, amount]) => [unit, amount * requests]);
  return {
    ...{ by, value, period: "hour", start: rows.hour * LENGTH_MS.hour, currency, requests, cost, runMs },
    failed: outcome === "failed" ? requests : 0,
    cancelled: outcome === "cancelled" ? requests : 0,
    units: Object.fromEntries(units),
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

// Every SQL statement about reservations and the rows of finished jobs. Callers hold a transaction for changes.
// The statements of a job's usual way are prepared once.
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  lt,
  lte,
  or,
  type Placeholder,
  type SQL,
  sql,
} from "drizzle-orm";
import { type Micros, microsText, type Nanos } from "../../core/money.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { placeholders } from "../database/placeholders.ts";
import { statement } from "../database/statement.ts";
import type { Account, AccountKind, Amounts } from "./account.ts";
import { reservationTable, usageMarkTable, usageTable, usageTotalTable } from "./usage.table.ts";
import type { TimeWindow, WindowName } from "./windows.ts";

export type UsageRow = typeof usageTable.$inferSelect;
export type NewUsageRow = Omit<UsageRow, "seq">;
export type Reservation = {
  job: string;
  key: string;
  team: string | null;
  model: string;
  at: number;
  amounts: Amounts;
};
export type UsageFilter = {
  key?: string | undefined;
  team?: string | undefined;
  model?: string | undefined;
  /** Any of these; endpoints are ids under which models were called, or the models' own. */
  keys?: string[] | undefined;
  endpoints?: string[] | undefined;
  jobs?: string[] | undefined;
  /** Admission, from and before. */
  since?: Instant | undefined;
  until?: Instant | undefined;
  /** The last row of the page before, by its `seq`. */
  after?: number | undefined;
  latestFirst?: boolean | undefined;
  limit: number;
};

export type UsageStore = {
  reserve(reservation: Reservation): void;
  /** In memory alone, until `keep` or `release`: of a job whose beginning is not written yet either. */
  hold(reservation: Reservation): void;
  /** Writes what is held of this job. */
  keep(job: string): void;
  release(job: string): void;
  /** What is set aside in the table counts for another model. */
  move(job: string, model: string): void;
  reservations(): Reservation[];
  add(row: NewUsageRow): void;
  /** What an account used in a window, of one unit as in `Amounts`. */
  used(account: Account, unit: string, window: TimeWindow & { name: WindowName }): number;
  /** Of a job whose end was committed. */
  row(job: string): NewUsageRow | undefined;
  /** By the time of admission, oldest first unless the filter says otherwise. A page costs what it reads, not what the span holds. */
  rows(filter: UsageFilter): UsageRow[];
  /** What rows after this one came to, by model and currency, and which is the last of them. */
  spentAfter(seq: number): { last: number; spent: { model: string; currency: string; cost: Nanos }[] };
  /** The latest row; 0 before the first. */
  last(): number;
  /** Up to which row the sums go. */
  mark(): number;
  /** Removes rows that are older and in the sums. */
  removeBefore(before: Instant, limit: number): number;
};

const COLUMN = { key: usageTable.key, team: usageTable.team, model: usageTable.model } as const satisfies Record<
  AccountKind,
  unknown
>;

/** An answer tells what its job came to, and comes soon after the job's end. */
const RECENT_ROWS = 1_000;

export function createUsageStore({ orm, sqlite, onUndone }: Pick<Database, "orm" | "sqlite" | "onUndone">): UsageStore {
  const usage = usageTable;
  const run = prepareAll({ orm, sqlite });
  /** In the order in which they were added; of a write that was undone, one may be here that is nowhere else. */
  const recent = new Map<string, NewUsageRow>();
  const mark = () => markIn(orm);
  /** Rows that are not in the sums yet: few, and read in the order in which they lie. */
  const tail = ({ kind, id }: Account, { start, end }: TimeWindow) =>
    run.tail[kind].all({ mark: mark(), id, start, end });
  const summed = ({ kind, id }: Account, { name, start }: { name: WindowName; start: Instant }) =>
    run.summed.all({ period: name, by: kind, start, value: id });
  return {
    ...createReservations({ orm, onUndone }, run),
    add(row) {
      run.add.run(row);
      recent.set(row.job, row);
      const [oldest] = recent.keys();
      if (recent.size > RECENT_ROWS && oldest !== undefined) recent.delete(oldest);
    },
    used: (account, unit, window) =>
      [...summed(account, window), ...tail(account, window)]
        .map(({ units, cost, currency }) => (currency === unit ? cost : (quantities(units)[unit] ?? 0)))
        .reduce((sum, each) => sum + each, 0),
    row: (job) => recent.get(job) ?? run.row.get({ job }),
    rows({ after, latestFirst, limit, ...filter }) {
      const direction = latestFirst ? desc : asc;
      return orm
        .select()
        .from(usage)
        .where(and(...conditions({ ...filter, ...startOf(orm, { after, since: filter.since }) })))
        .orderBy(direction(usage.admittedAt), direction(usage.seq))
        .limit(limit)
        .all();
    },
    spentAfter(seq) {
      const { model, currency, cost } = usage;
      const sums = { model, currency, cost: sql<Nanos>`sum(${cost})`, last: sql<number>`max(${usage.seq})` };
      const groups = orm.select(sums).from(usage).where(gt(usage.seq, seq)).groupBy(model, currency).all();
      return { last: Math.max(seq, ...groups.map(({ last }) => last)), spent: groups };
    },
    last: () =>
      orm
        .select({ seq: sql<number>`coalesce(max(${usage.seq}), 0)` })
        .from(usage)
        .get()?.seq ?? 0,
    mark,
    removeBefore(before, limit) {
      const old = orm
        .select({ seq: usage.seq })
        .from(usage)
        .where(and(lt(usage.admittedAt, before), lte(usage.seq, mark())))
        .limit(limit)
        .all();
      const rows = old.map(({ seq }) => seq);
      if (rows.length > 0) orm.delete(usage).where(inArray(usage.seq, rows)).run();
      return rows.length;
    },
  };
}

type Reserving = Pick<UsageStore, "reserve" | "hold" | "keep" | "release" | "move" | "reservations">;

/** Those of the table, and those in memory of jobs whose beginning is not written yet. */
function createReservations(
  { orm, onUndone }: Pick<Database, "orm" | "onUndone">,
  run: Pick<ReturnType<typeof prepareAll>, "reserve" | "release">,
): Reserving {
  const held = new Map<string, Reservation>();
  const reserve = ({ amounts, ...row }: Reservation) => {
    run.reserve.run({ ...row, amounts: JSON.stringify(amounts) });
  };
  const takeHeld = (job: string): Reservation | undefined => {
    const reservation = held.get(job);
    if (!reservation) return undefined;
    held.delete(job);
    onUndone(() => held.set(job, reservation));
    return reservation;
  };
  return {
    reserve,
    hold: (reservation) => {
      held.set(reservation.job, reservation);
    },
    keep(job) {
      const reservation = takeHeld(job);
      if (reservation) reserve(reservation);
    },
    release: (job) => {
      if (!takeHeld(job)) run.release.run({ job });
    },
    move: (job, model) => orm.update(reservationTable).set({ model }).where(eq(reservationTable.job, job)).run(),
    reservations: () => [...orm.select().from(reservationTable).all().map(reservationOf), ...held.values()],
  };
}

/** Up to which row the sums go. */
export const markIn = (orm: Database["orm"]): number =>
  orm.select({ seq: usageMarkTable.seq }).from(usageMarkTable).get()?.seq ?? 0;

/** When the job of the latest row ended. */
export function lastEndIn(orm: Database["orm"]): Instant | undefined {
  const row = orm.select({ at: usageTable.endedAt }).from(usageTable).orderBy(desc(usageTable.seq)).limit(1).get();
  return row && instant(row.at);
}

type Bound = number | Placeholder;

/**
 * Rows after the mark that came in within a window. The plus keeps SQLite from their index by time: it would read all rows of
 * the window, a month of them, where those after the mark are few.
 */
export function isInTail({ mark, start, end }: Record<"mark" | "start" | "end", Bound>): SQL | undefined {
  const at = sql`+${usageTable.admittedAt}`;
  return and(gt(usageTable.seq, mark), gte(at, start), lt(at, end));
}

/** Written by this folder: micros by unit. */
export const quantities = (json: string) => JSON.parse(json) as Record<string, number>;

/** The same as decimals, for people. */
export const unitTexts = (units: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(units).map(([unit, amount]) => [unit, microsText(amount as Micros)]));

const reservationOf = ({ amounts, ...row }: typeof reservationTable.$inferSelect): Reservation => ({
  ...row,
  amounts: JSON.parse(amounts) as Amounts, // written above
});

type Start = { since?: Instant | undefined; behind?: Pick<UsageRow, "admittedAt" | "seq"> };

/** Where a page begins. Rows are removed oldest first: behind one that is gone, none is left that came before. */
function startOf(orm: Database["orm"], { after, since }: Pick<UsageFilter, "after" | "since">): Start {
  if (after === undefined) return { since };
  const { admittedAt, seq } = usageTable;
  const behind = orm.select({ admittedAt, seq }).from(usageTable).where(eq(seq, after)).get();
  return behind ? { since: instant(Math.max(behind.admittedAt, since ?? 0)), behind } : { since };
}

type Filter = Omit<UsageFilter, "after" | "latestFirst" | "limit"> & Start;

function conditions({ key, team, model, since, until, behind, ...lists }: Filter): SQL[] {
  const wanted = anyOf(lists);
  if (key !== undefined) wanted.push(eq(usageTable.key, key));
  if (team !== undefined) wanted.push(eq(usageTable.team, team));
  if (model !== undefined) wanted.push(eq(usageTable.model, model));
  if (since !== undefined) wanted.push(gte(usageTable.admittedAt, since));
  if (until !== undefined) wanted.push(lt(usageTable.admittedAt, until));
  const { admittedAt, seq } = usageTable;
  if (behind) wanted.push(sql`(${admittedAt} > ${behind.admittedAt} or ${seq} > ${behind.seq})`);
  return wanted;
}

function anyOf({ keys, endpoints, jobs }: Pick<UsageFilter, "keys" | "endpoints" | "jobs">): SQL[] {
  const { key, model, endpoint, job } = usageTable;
  const isOf = endpoints && or(inArray(model, endpoints), inArray(endpoint, endpoints));
  return [...(keys ? [inArray(key, keys)] : []), ...(jobs ? [inArray(job, jobs)] : []), ...(isOf ? [isOf] : [])];
}

function prepareAll({ orm, sqlite }: Pick<Database, "orm" | "sqlite">) {
  const { seq: _, ...columns } = getTableColumns(usageTable);
  const isJob = eq(usageTable.job, sql.placeholder("job"));
  const isReserved = eq(reservationTable.job, sql.placeholder("job"));
  const { units, cost, currency } = usageTable;
  const amounts = { units, cost, currency };
  const isLate = isInTail({
    mark: sql.placeholder("mark"),
    start: sql.placeholder("start"),
    end: sql.placeholder("end"),
  });
  const tailOf = (kind: AccountKind) => {
    const isOf = eq(COLUMN[kind], sql.placeholder("id"));
    return statement(sqlite, orm.select(amounts).from(usageTable).where(and(isLate, isOf)), amounts);
  };
  const total = usageTotalTable;
  const sums = { units: total.units, cost: total.cost, currency: total.currency };
  const place = [total.period, total.by, total.start, total.value];
  const isPlace = and(...place.map((column) => eq(column, sql.placeholder(column.name))));
  const reservation = placeholders(getTableColumns(reservationTable));
  return {
    reserve: statement(sqlite, orm.insert(reservationTable).values(reservation)),
    release: statement(sqlite, orm.delete(reservationTable).where(isReserved)),
    tail: { key: tailOf("key"), team: tailOf("team"), model: tailOf("model") },
    summed: statement(sqlite, orm.select(sums).from(total).where(isPlace), sums),
    add: statement(sqlite, orm.insert(usageTable).values(placeholders(columns))),
    row: statement(sqlite, orm.select(columns).from(usageTable).where(isJob), columns),
  };
}

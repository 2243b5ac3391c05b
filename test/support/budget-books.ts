// What the ledger itself says about budgets, read from a data directory's database without any of the code under test.
import { Database } from "bun:sqlite";
import { join } from "node:path";

export type BudgetBooks = {
  /** Budgets of which more was spent and set aside than they allow, in words. */
  overrun: string[];
  /** Reservations of jobs that are over or unknown. */
  reservationsLeaked: number;
  /** Jobs that are over without their one row, and rows of jobs that are not over. */
  rowsMissing: number;
  rowsTooMany: number;
  billedTwice: number;
  /** Sums by hour, day and month that are not the sums of their rows, in words. */
  sumsWrong: string[];
};

export const soundBooks: BudgetBooks = {
  overrun: [],
  reservationsLeaked: 0,
  rowsMissing: 0,
  rowsTooMany: 0,
  billedTwice: 0,
  sumsWrong: [],
};

/** Holds at any moment, also while the server is dead; read of one moment, since a living one adds rows up in between. */
export function readBudgetBooks(data: string): BudgetBooks {
  using sqlite = new Database(join(data, "forecourt.sqlite"), { readonly: true });
  return sqlite.transaction(() => booksIn(sqlite))();
}

function booksIn(sqlite: Database): BudgetBooks {
  const count = (from: string) => Number(sqlite.query(`SELECT count(*) FROM ${from}`).values()[0]?.[0]);
  const open = "(SELECT id FROM job WHERE status IN ('queued', 'running'))";
  const over = "(SELECT id FROM job WHERE status NOT IN ('queued', 'running'))";
  return {
    overrun: budgetsOf(sqlite).flatMap((budget) => overrunOf(sqlite, budget)),
    reservationsLeaked: count(`reservation WHERE job NOT IN ${open}`),
    // Workflows cost what their nodes do.
    rowsMissing: count(
      `job WHERE id IN ${over} AND model NOT LIKE 'workflows/%' AND id NOT IN (SELECT job FROM usage)`,
    ),
    rowsTooMany: count(`usage WHERE job IN ${open}`),
    billedTwice: count("(SELECT job FROM usage GROUP BY job HAVING count(*) > 1)"),
    sumsWrong: ["hour", "day", "month"].flatMap((period) => wrongSums(sqlite, period)),
  };
}

type Budget = { kind: string; id: string; unit: string; amount: number; window: string };

const budgetsOf = (sqlite: Database): Budget[] =>
  sqlite
    .query<{ kind: string; id: string; limits: string }, []>("SELECT kind, id, limits FROM account")
    .all()
    .flatMap(({ kind, id, limits }) =>
      ((JSON.parse(limits).budgets ?? []) as (Budget & { isSoft?: boolean })[])
        .filter(({ isSoft }) => !isSoft)
        .map(({ unit, amount, window }) => ({ kind, id, unit, amount, window })),
    );

const FORMATS: Record<string, string> = { hour: "%Y-%m-%dT%H", day: "%Y-%m-%d", month: "%Y-%m" };
const windowOf = (column: string, period: string) => `strftime('${FORMATS[period]}', ${column} / 1000, 'unixepoch')`;

/** Spent and set aside, by every window in which anything was admitted. */
function overrunOf(sqlite: Database, { kind, id, unit, amount, window }: Budget): string[] {
  const isMoney = /^[A-Z]{3}$/.test(unit);
  const spent = isMoney ? `CASE currency WHEN '${unit}' THEN cost ELSE 0 END` : `json_extract(units, '$.${unit}')`;
  return sqlite
    .query<{ at: string; sum: number }, [string, string]>(
      `SELECT at, sum(amount) AS sum FROM (
         SELECT ${windowOf("admitted_at", window)} AS at, coalesce(${spent}, 0) AS amount FROM usage WHERE ${kind} = ?
         UNION ALL
         SELECT ${windowOf("at", window)}, coalesce(json_extract(amounts, '$.${unit}'), 0) FROM reservation WHERE ${kind} = ?
       ) GROUP BY at`,
    )
    .all(id, id)
    .flatMap(({ at, sum }) => (sum > amount ? [`${kind} ${id} in ${at}: ${sum} of ${amount} ${unit}/${window}`] : []));
}

/** Of rows up to the mark, which are those that the sums hold. */
function wrongSums(sqlite: Database, period: string): string[] {
  const [rows, totals] = [new Map<string, string>(), new Map<string, string>()];
  for (const by of ["key", "team", "model"]) {
    const from = `FROM usage WHERE seq <= (SELECT coalesce(max(seq), 0) FROM usage_mark) AND ${by} IS NOT NULL`;
    for (const [value, currency, at, requests, cost] of sqlite
      .query(
        `SELECT ${by}, currency, ${windowOf("admitted_at", period)} AS at, count(*), sum(cost) ${from} GROUP BY 1, 2, 3`,
      )
      .values())
      rows.set(`${by} ${value} ${currency} ${at}`, `${requests} requests, ${cost}`);
    for (const [value, currency, at, requests, cost] of sqlite
      .query(
        `SELECT value, currency, ${windowOf("start", period)}, requests, cost FROM usage_total WHERE period = ? AND "by" = ?`,
      )
      .values(period, by))
      totals.set(`${by} ${value} ${currency} ${at}`, `${requests} requests, ${cost}`);
  }
  return [...new Set([...rows.keys(), ...totals.keys()])]
    .filter((place) => rows.get(place) !== totals.get(place))
    .map((place) => `${period}: ${place}: rows ${rows.get(place)}, sums ${totals.get(place)}`);
}

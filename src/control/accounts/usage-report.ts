// What was used in a span of time, by key, team, model or tag; as rows for people, for JSON and for CSV.
import type { KeyId } from "../../core/ids.ts";
import { asId } from "../../core/ids.ts";
import { type Nanos, nanosText } from "../../core/money.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Keys } from "../keys/keys.ts";
import { csvRows } from "./csv.ts";
import { add, type Total, type TotalQuery, type TotalsStore } from "./totals-store.ts";
import { unitTexts } from "./usage-store.ts";
import { type TimeWindow, WINDOW_NAMES, type WindowName, windowAt } from "./windows.ts";

export const USAGE_ASPECTS = ["all", "key", "team", "model", "tag"] as const;
export type UsageAspect = (typeof USAGE_ASPECTS)[number];

export type UsageQuery = {
  by: UsageAspect;
  /** Rounded down to an hour. */
  since: Instant;
  until: Instant;
  /** One row for each hour, day or month; absent = one for the whole span. */
  each?: WindowName;
};

export type UsageLine = {
  /** Beginning of its hour, day or month. */
  start?: string;
  value: string;
  /** Of a key. */
  name?: string;
  requests: number;
  failed: number;
  cancelled: number;
  /** Decimal, in `currency`. */
  cost: string;
  currency: string;
  run_seconds: number;
  /** Decimals by unit. */
  units: Record<string, string>;
};

const AT_ONCE = 1_000;

/** Takes all rows into the sums first, so that nothing that has ended is missing. Other work is done in between. */
export async function reportUsage(
  { totals, keys }: { totals: TotalsStore; keys: Pick<Keys, "get"> },
  { by, since, until, each }: UsageQuery,
): Promise<UsageLine[]> {
  while (totals.rollUp(AT_ONCE)) await new Promise(setImmediate);
  const lines: UsageLine[] = [];
  const tell = (all: Iterable<Total>) => {
    for (const total of all) lines.push(lineOf(total, { keys, each }));
  };
  if (each) {
    const query = { by, period: each, since: windowAt(since, each).start, until };
    for await (const page of pagesOf(totals, query)) tell(page);
    return lines;
  }
  const sums = new Map<string, Total>();
  for (const part of partsOf({ since, until }, totals.span())) {
    for await (const page of pagesOf(totals, { by, ...part }))
      for (const total of page) {
        const id = `${total.currency} ${total.value}`;
        const known = sums.get(id);
        sums.set(id, known ? add(known, total) : total);
      }
  }
  const sorted = [...sums.values()].sort(byValue);
  await inSlices(sorted, tell);
  return lines;
}

async function* pagesOf(totals: TotalsStore, query: TotalQuery): AsyncGenerator<Total[]> {
  for (let after: Total | undefined; ; ) {
    const page = totals.page(query, { after, limit: AT_ONCE });
    yield page;
    await new Promise(setImmediate);
    if (page.length < AT_ONCE) return;
    after = page.at(-1);
  }
}

/** Other work is done between two slices. */
export async function inSlices<T>(all: readonly T[], work: (slice: readonly T[]) => void): Promise<void> {
  for (let at = 0; at < all.length; at += AT_ONCE) {
    work(all.slice(at, at + AT_ONCE));
    await new Promise(setImmediate);
  }
}

const byValue = (a: Total, b: Total) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);

type Part = Pick<TotalQuery, "period" | "since" | "until">;

/** Whole months, days and hours, the longest that fit: an hour may have a thousand tags, and a month has few more than its days. */
function* partsOf({ since, until }: Pick<Part, "since" | "until">, span: TimeWindow | undefined): Generator<Part> {
  if (!span) return;
  const end = instant(Math.min(windowAt(until - 1, "hour").end, span.end));
  for (let at = instant(Math.max(windowAt(since, "hour").start, span.start)); at < end; ) {
    const fits = (period: WindowName) => windowAt(at, period).start === at && windowAt(at, period).end <= end;
    const period = LONGEST_FIRST.find(fits) ?? "hour";
    const next = windowAt(at, period).end;
    yield { period, since: at, until: next };
    at = next;
  }
}

const LONGEST_FIRST = [...WINDOW_NAMES].reverse();

function lineOf(total: Total, { keys, each }: { keys: Pick<Keys, "get">; each: WindowName | undefined }): UsageLine {
  const { by, value, requests, failed, cancelled, currency, start, runMs } = total;
  const name = by === "key" ? keys.get(asId<KeyId>(value))?.name : undefined;
  return {
    ...(each && { start: new Date(start).toISOString() }),
    value,
    ...(name !== undefined && { name }),
    ...{ requests, failed, cancelled, currency },
    cost: nanosText(total.cost as Nanos),
    run_seconds: runMs / 1000,
    units: unitTexts(total.units),
  };
}

const COLUMNS = [
  "start",
  "value",
  "name",
  "requests",
  "failed",
  "cancelled",
  "cost",
  "currency",
  "run_seconds",
] as const;

/** One column for each unit that any line has; of requests, which are a unit too, only all of them. */
export async function usageCsv(lines: readonly UsageLine[]): Promise<string> {
  const isColumn = (unit: string) => (COLUMNS as readonly string[]).includes(unit);
  const found = new Set<string>();
  await inSlices(lines, (slice) => {
    for (const { units } of slice) for (const unit in units) found.add(unit);
  });
  const units = [...found].filter((unit) => !isColumn(unit)).sort();
  const rowOf = (line: UsageLine) => [
    ...COLUMNS.map((name) => line[name]),
    ...units.map((unit) => line.units[unit] ?? "0"),
  ];
  let text = csvRows([[...COLUMNS, ...units]]);
  await inSlices(lines, (slice) => {
    text += csvRows(slice.map(rowOf));
  });
  return text;
}

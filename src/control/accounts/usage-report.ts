// What was used in a span of time, by key, team, model or tag; as rows for people, for JSON and for CSV.
import type { KeyId } from "../../core/ids.ts";
import { asId } from "../../core/ids.ts";
import { type Nanos, nanosText } from "../../core/money.ts";
import type { Instant } from "../../core/units.ts";
import type { Keys } from "../keys/keys.ts";
import { csv } from "./csv.ts";
import { add, type Total, type TotalsStore } from "./totals-store.ts";
import { unitTexts } from "./usage-store.ts";
import { type WindowName, windowAt } from "./windows.ts";

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

/** Takes all rows into the sums first, so that nothing that has ended is missing. */
export function reportUsage(
  { totals, keys }: { totals: TotalsStore; keys: Pick<Keys, "get"> },
  { by, since, until, each }: UsageQuery,
): UsageLine[] {
  while (totals.rollUp(AT_ONCE));
  const from = windowAt(since, each ?? "hour").start;
  const found = totals.read({ by, period: each ?? "hour", since: from, until });
  const lines = new Map<string, Total>();
  for (const total of found) {
    const id = [each ? total.start : "", total.currency, total.value].join(" ");
    const known = lines.get(id);
    lines.set(id, known ? add(known, total) : total);
  }
  return [...lines.values()].map((total) => lineOf(total, { keys, each }));
}

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
export function usageCsv(lines: UsageLine[]): string {
  const isColumn = (unit: string) => (COLUMNS as readonly string[]).includes(unit);
  const units = [...new Set(lines.flatMap((line) => Object.keys(line.units)))].filter((unit) => !isColumn(unit)).sort();
  const rows = lines.map((line) => [
    ...COLUMNS.map((name) => line[name]),
    ...units.map((unit) => line.units[unit] ?? "0"),
  ]);
  return csv([...COLUMNS, ...units], rows);
}

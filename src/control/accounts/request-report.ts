// What each finished request used and cost; as rows for people, for JSON and for CSV.
import { asId, type KeyId } from "../../core/ids.ts";
import { type Nanos, nanosText } from "../../core/money.ts";
import type { Keys } from "../keys/keys.ts";
import { csv } from "./csv.ts";
import { quantities, type UsageRow, unitTexts } from "./usage-store.ts";

export type RequestLine = ReturnType<typeof requestLine>;

export const requestLine = (row: UsageRow, keys: Pick<Keys, "get">) => ({
  request_id: row.job,
  key: row.key,
  name: keys.get(asId<KeyId>(row.key))?.name ?? null,
  team: row.team,
  model: row.model,
  endpoint: row.endpoint,
  tags: JSON.parse(row.tags ?? "null") as Record<string, string> | null, // written by new-job.ts
  outcome: row.outcome,
  failure: row.failure,
  device: row.device,
  /** Decimals by unit. */
  units: unitTexts(quantities(row.units)),
  /** Decimal, in `currency`. */
  cost: nanosText(row.cost as Nanos),
  currency: row.currency,
  admitted_at: new Date(row.admittedAt).toISOString(),
  ended_at: new Date(row.endedAt).toISOString(),
  timing: { queue_ms: row.queueMs, load_ms: row.loadMs, run_ms: row.runMs },
});

/** One column for each unit that any line has. */
export function requestsCsv(lines: RequestLine[]): string {
  const units = [...new Set(lines.flatMap((line) => Object.keys(line.units)))].sort();
  const tables = lines.map(({ timing, tags, units: counted, ...line }) => ({
    line: { ...line, tags: tags && JSON.stringify(tags), ...timing },
    amounts: units.map((unit) => counted[unit] ?? "0"),
  }));
  const [first] = tables;
  if (!first) return "";
  return csv(
    [...Object.keys(first.line), ...units],
    tables.map(({ line, amounts }) => [...Object.values(line), ...amounts]),
  );
}

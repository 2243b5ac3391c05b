// `forecourt usage`: what was used, by key, team, model, tag or request; from the data directory, with or without a server.
import { Command, Option } from "commander";
import { type RequestLine, requestLine, requestsCsv } from "../control/accounts/request-report.ts";
import {
  reportUsage,
  USAGE_ASPECTS,
  type UsageAspect,
  type UsageLine,
  usageCsv,
} from "../control/accounts/usage-report.ts";
import type { UsageFilter } from "../control/accounts/usage-store.ts";
import { WINDOW_NAMES, type WindowName } from "../control/accounts/windows.ts";
import { systemClock } from "../core/clock.ts";
import { instant } from "../core/units.ts";
import { parseDuration } from "./duration.ts";
import { wrongUsage } from "./failure.ts";
import { openKeyBook, withKeyBook } from "./keys/key-book.ts";
import { type SettingsFlags, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, table, timeText } from "./terminal.ts";

type Flags = SettingsFlags & {
  by: UsageAspect | "request";
  since: string;
  each?: WindowName;
  limit: number;
  json?: true;
  csv?: true;
};

export const usage = () =>
  withSettings(new Command("usage"))
    .description("Shows what was used and what it cost. A request counts in the hour in which it came in.")
    .addOption(
      new Option("--by <aspect>", "whose usage is summed up").choices([...USAGE_ASPECTS, "request"]).default("key"),
    )
    .option("--since <duration>", "how far back, in whole hours: 24h, 30d", "30d")
    .addOption(new Option("--each <period>", "one line for each hour, day or month").choices([...WINDOW_NAMES]))
    .option("--limit <n>", "with --by request: so many, the latest", wholeNumber, 100)
    .option("--json", "print as JSON")
    .option("--csv", "print as CSV")
    .action(async ({ by, since, each, limit, json, csv, ...flags }: Flags) => {
      const now = systemClock.now();
      const span = { since: instant(now - parseDuration(since, "--since")), until: instant(now + 1) };
      if (by === "request") return printRequests(flags, { ...span, limit }, { json, csv });
      using book = openKeyBook(flags);
      const { totals } = book.accounts;
      const lines = await reportUsage({ totals, keys: book.keys }, { by, ...span, ...(each && { each }) });
      if (json) return printJson(lines);
      if (csv) return void process.stdout.write(await usageCsv(lines));
      if (lines.length === 0) return note(`Nothing was used in the last ${since}.`);
      printLine(
        table([...(each ? ["from"] : []), by, "requests", "failed", "cancelled", "units", "cost"], lines.map(row)),
      );
    });

type Manner = { json: true | undefined; csv: true | undefined };

function printRequests(flags: SettingsFlags, { limit, ...filter }: UsageFilter, { json, csv }: Manner): void {
  const found = withKeyBook(flags, ({ accounts, keys }) =>
    accounts.usage.rows({ ...filter, limit: limit + 1, latestFirst: true }).map((row) => requestLine(row, keys)),
  );
  const lines = found.slice(0, limit);
  if (found.length > limit) note(`These are the latest ${limit}; --limit takes a larger number.`);
  if (json) printJson(lines);
  else if (csv) process.stdout.write(requestsCsv(lines));
  else if (lines.length === 0) note("No request ended in that time.");
  else
    printLine(table(["came in (UTC)", "request", "key", "model", "outcome", "units", "cost"], lines.map(requestRow)));
}

const requestRow = (line: RequestLine): string[] => [
  timeText(Date.parse(line.admitted_at)),
  line.request_id,
  line.name ?? line.key,
  line.endpoint,
  line.failure ?? line.outcome,
  unitsText(line.units),
  `${line.cost} ${line.currency}`,
];

function unitsText(units: Record<string, string>): string {
  const shown = Object.entries(units).filter(([unit, amount]) => unit !== "requests" && amount !== "0");
  return shown.map(([unit, amount]) => `${amount} ${unit}`).join(", ");
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw wrongUsage(`--limit should be a whole number above 0, not ${text}.`);
}

function row({ start, value, name, requests, failed, cancelled, cost, currency, units }: UsageLine): string[] {
  return [
    ...(start === undefined ? [] : [start.slice(0, 16).replace("T", " ")]),
    name ?? (value || "all"),
    String(requests),
    String(failed),
    String(cancelled),
    unitsText(units),
    `${cost} ${currency}`,
  ];
}

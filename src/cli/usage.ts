// `forecourt usage`: what was used, by key, team, model or tag; from the data directory, with or without a server.
import { Command, Option } from "commander";
import {
  reportUsage,
  USAGE_ASPECTS,
  type UsageAspect,
  type UsageLine,
  usageCsv,
} from "../control/accounts/usage-report.ts";
import { WINDOW_NAMES, type WindowName } from "../control/accounts/windows.ts";
import { systemClock } from "../core/clock.ts";
import { instant } from "../core/units.ts";
import { parseDuration } from "./duration.ts";
import { withKeyBook } from "./keys/key-book.ts";
import { type SettingsFlags, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, table } from "./terminal.ts";

type Flags = SettingsFlags & { by: UsageAspect; since: string; each?: WindowName; json?: true; csv?: true };

export const usage = () =>
  withSettings(new Command("usage"))
    .description("Shows what was used and what it cost. A request counts in the hour in which it came in.")
    .addOption(new Option("--by <aspect>", "whose usage is summed up").choices([...USAGE_ASPECTS]).default("key"))
    .option("--since <duration>", "how far back, in whole hours: 24h, 30d", "30d")
    .addOption(new Option("--each <period>", "one line for each hour, day or month").choices([...WINDOW_NAMES]))
    .option("--json", "print as JSON")
    .option("--csv", "print as CSV")
    .action(({ by, since, each, json, csv, ...flags }: Flags) => {
      const now = systemClock.now();
      const span = { since: instant(now - parseDuration(since, "--since")), until: instant(now + 1) };
      const lines = withKeyBook(flags, ({ accounts, keys }) =>
        reportUsage({ totals: accounts.totals, keys }, { by, ...span, ...(each && { each }) }),
      );
      if (json) return printJson(lines);
      if (csv) return void process.stdout.write(usageCsv(lines));
      if (lines.length === 0) return note(`Nothing was used in the last ${since}.`);
      printLine(table([...(each ? ["from"] : []), by, "requests", "failed", "units", "cost"], lines.map(row)));
    });

function row({ start, value, name, requests, failed, cancelled, cost, currency, units }: UsageLine): string[] {
  const shown = Object.entries(units).filter(([unit, amount]) => unit !== "requests" && amount !== "0");
  return [
    ...(start === undefined ? [] : [start.slice(0, 16).replace("T", " ")]),
    name ?? (value || "all"),
    String(requests),
    String(failed + cancelled),
    shown.map(([unit, amount]) => `${amount} ${unit}`).join(", "),
    `${cost} ${currency}`,
  ];
}

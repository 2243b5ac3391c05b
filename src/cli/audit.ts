// `forecourt audit`: the administrative acts of this box, straight from its database.
import { existsSync } from "node:fs";
import { Command } from "commander";
import type { AuditEntry } from "../control/audit/act.ts";
import { createAudit } from "../control/audit/audit.ts";
import { databaseFile, openDatabase } from "../control/database/open.ts";
import { systemClock } from "../core/clock.ts";
import { ForecourtError } from "../core/errors.ts";
import { wrongUsage } from "./failure.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, table, timeText } from "./terminal.ts";

type Flags = SettingsFlags & { actor?: string; limit: string; json?: true };

export const audit = () =>
  withSettings(new Command("audit"))
    .description("Lists the administrative acts of this box, latest first: who, when, from where, what and the result.")
    .option("--actor <actor>", "id of a key, or os:<account>")
    .option("--limit <number>", "how many", "50")
    .option("--json", "print as JSON")
    .action(({ actor, limit, json, ...flags }: Flags) => {
      const { settings } = settingsOf(flags);
      const file = databaseFile(settings.data);
      if (!existsSync(file)) throw new ForecourtError("not_found", `There is no database in ${settings.data} yet.`);
      using database = openDatabase({ file, synchronous: settings.database.synchronous });
      const page = { limit: countOf(limit), ...(actor !== undefined && { actor }) };
      const entries = createAudit({ database, clock: systemClock }).list(page);
      if (json) return printJson(entries.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })));
      if (entries.length === 0) return note("Nothing was done yet.");
      printLine(table(["when (UTC)", "who", "from", "what", "about", "result"], entries.map(row)));
    });

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw wrongUsage(`--limit ${text}: write a whole number above 0.`);
  return count;
}

const row = ({ at, actor, origin, action, details, outcome, code }: AuditEntry) => [
  timeText(at),
  actor,
  origin,
  action,
  Object.entries(details)
    .map(([name, value]) => `${name}=${value}`)
    .join(" "),
  `${outcome} (${code})`,
];

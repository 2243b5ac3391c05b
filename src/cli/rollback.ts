// `forecourt rollback`: back to the version before the last update, once it is said what that costs.
import { createInterface } from "node:readline";
import { Command } from "commander";
import { lockData } from "../control/database/lock.ts";
import { releasesOf } from "../control/rollback/releases.ts";
import { carryOut, planRollback, type Rollback } from "../control/rollback/rollback.ts";
import { wrongUsage } from "./failure.ts";
import { askVersion, type OtherVersion } from "./rollback/ask-version.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, timeText } from "./terminal.ts";
import { versionFacts } from "./version.ts";

type Flags = SettingsFlags & { yes?: true; json?: true };

export const rollback = () =>
  withSettings(new Command("rollback"))
    .description(
      "Goes back to the version that install.sh replaced last and, where that one cannot read the database any more, to the copy from before. The server must be stopped. What would be lost is said first.",
    )
    .option("--yes", "do not ask")
    .option("--json", "print as JSON")
    .action(async ({ yes, json, ...flags }: Flags) => {
      const { settings } = settingsOf(flags);
      const releases = releasesOf(process.execPath);
      const to = askVersion(releases.previous);
      using lock = lockData(settings.data);
      void lock;
      const plan = planRollback({ data: settings.data, known: to.schema });
      for (const line of foretell(plan, to)) note(line);
      if (!yes) await ask();
      const kept = await carryOut(plan, { data: settings.data, releases, now: new Date() });
      if (json) return printJson(facts({ plan, to, kept, link: releases.link }));
      note(`${releases.link} is Forecourt ${nameOf(to)} again; start the server to run it.`);
      if (kept !== undefined) note(`The database as it was is in ${kept}; remove it when all is well.`);
    });

const nameOf = ({ version, commit }: Pick<OtherVersion, "version" | "commit">) =>
  commit === null ? version : `${version} (${commit})`;

function foretell({ database }: Rollback, to: OtherVersion): string[] {
  const lines = [`From Forecourt ${nameOf(versionFacts())} back to ${nameOf(to)}.`];
  if (!database) return [...lines, "It reads the database that is there: nothing is lost."];
  const { madeAt, lost, keysAsBefore, copy } = database;
  lines.push(
    `It cannot read the database that is there, so that of ${timeText(madeAt.getTime())} comes back (${copy}).`,
  );
  if (lost.length === 0) lines.push("Nothing was added since.");
  else
    lines.push(
      `Lost is what was added since: ${lost.map(({ table, rows }) => `${rows} ${WORDS[table] ?? table}`).join(", ")}.`,
    );
  if (keysAsBefore.length > 0)
    lines.push(`Revoked, rotated or changed since, and again as they were: the keys ${keysAsBefore.join(", ")}.`);
  return lines;
}

/** Of the tables that people know by other names. */
const WORDS: Readonly<Record<string, string>> = {
  job: "requests",
  api_key: "keys",
  usage: "charges",
  upload: "uploads",
  audit_entry: "entries of the audit log",
  job_log: "log lines of requests",
  webhook_delivery: "webhooks",
  price_override: "prices",
  account: "limits",
  workflow: "workflows",
  conversation: "conversations",
  answer: "stored responses",
};

async function ask(): Promise<void> {
  if (!process.stdin.isTTY) throw wrongUsage("Nothing was changed: say --yes to go back where nobody can be asked.");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  terminal.setPrompt("Go back? [y/N] ");
  terminal.prompt();
  // Ctrl-C and the end of the input are a no.
  const answer = await new Promise<string>((resolve) => {
    terminal.once("line", resolve).once("close", () => resolve(""));
  });
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw wrongUsage("Nothing was changed.");
}

const facts = ({
  plan: { database },
  to,
  kept,
  link,
}: {
  plan: Rollback;
  to: OtherVersion;
  kept: string | undefined;
  link: string;
}) => ({
  from: versionFacts().version,
  to: to.version,
  program: link,
  database: database
    ? {
        copy: database.copy,
        made_at: database.madeAt.toISOString(),
        lost: Object.fromEntries(database.lost.map(({ table, rows }) => [table, rows])),
        keys_as_before: database.keysAsBefore,
      }
    : null,
  kept: kept ?? null,
});

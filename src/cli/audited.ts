// Administrative commands are written into the audit log of the data directory they acted on, done or not.
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { Command } from "commander";
import { createAudit } from "../control/audit/audit.ts";
import { databaseFile, openDatabase } from "../control/database/open.ts";
import { systemClock } from "../core/clock.ts";
import { accountName } from "./account-name.ts";
import { pathOf } from "./audited-commands.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { foreignDataNote } from "./foreign-data.ts";
import { type SettingsFlags, settingsOf } from "./settings-flags.ts";
import { note } from "./terminal.ts";

/** Flags that say where, not what. */
const WHERE = new Set(["data", "config", "json"]);

/**
 * Does nothing where there is no database yet. That it cannot be written is said and changes nothing else: the command
 * has done its work.
 */
export function writeDown(command: Command, exit: ExitCode): void {
  const flags: SettingsFlags & Record<string, unknown> = command.opts();
  try {
    const { settings } = settingsOf({
      ...(flags.data && { data: flags.data }),
      ...(flags.config && { config: flags.config }),
    });
    const foreign = foreignDataNote({ command: pathOf(command), data: settings.data });
    if (foreign) note(foreign);
    const file = databaseFile(settings.data);
    if (!existsSync(file)) return;
    // Else this version would bring to its own schema what was just made readable for an older one.
    const keepsSchema = pathOf(command) === "rollback";
    using database = openDatabase({ file, synchronous: settings.database.synchronous, keepsSchema });
    createAudit({ database, clock: systemClock }).record({
      actor: `os:${accountName()}`,
      origin: hostname(),
      action: `forecourt ${pathOf(command)}`,
      details: {
        ...(command.args.length > 0 && { arguments: command.args }),
        ...Object.fromEntries(Object.entries(flags).filter(([name]) => !WHERE.has(name))),
      },
      outcome: exit === EXIT.done ? "done" : exit === EXIT.usage ? "refused" : "failed",
      code: exit,
    });
  } catch (error) {
    note(`forecourt: this act is missing from the audit log: ${error instanceof Error ? error.message : error}`);
  }
}

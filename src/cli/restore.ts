// `forecourt restore FILE`: a backup into the data directory of a server that does not run.
import { Command } from "commander";
import { restore as restoreBackup } from "../control/backup/restore.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson } from "./terminal.ts";

type Flags = SettingsFlags & { json?: true };

export const restore = () =>
  withSettings(new Command("restore"))
    .description(
      "Puts a backup into the data directory. The server must be stopped. What is replaced is kept beside it.",
    )
    .argument("<file>", "archive that `forecourt backup` made")
    .option("--json", "print as JSON")
    .action(async (from: string, { json, ...flags }: Flags) => {
      const { settings } = settingsOf(flags);
      const { manifest, kept } = await restoreBackup({ data: settings.data, from, now: new Date() });
      const { madeAt, version, files } = manifest;
      if (json) return printJson({ made_at: madeAt, version, files: files.length, kept: kept ?? null });
      note(`Restored ${files.length} files of ${madeAt} (Forecourt ${version}) into ${settings.data}.`);
      if (kept !== undefined) note(`What was there before is in ${kept}; remove it when all is well.`);
    });

// `forecourt backup FILE`: the whole box in one file, made while the server runs.
import { statSync } from "node:fs";
import { Command } from "commander";
import { backup as makeBackup } from "../control/backup/backup.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, sizeText } from "./terminal.ts";
import { versionFacts } from "./version.ts";

type Flags = SettingsFlags & { files?: true; json?: true };

export const backup = () =>
  withSettings(new Command("backup"))
    .description(
      "Writes database, keys, settings and model files into one tar archive. The server may run. It holds secrets: keep it like a key.",
    )
    .argument("<file>", "archive to write; one that is there is replaced once the new one is whole")
    .option("--files", "also the pictures and other files of jobs, and uploads")
    .option("--json", "print as JSON")
    .action(async (to: string, { files, json, ...flags }: Flags) => {
      const { settings } = settingsOf(flags);
      const { version } = versionFacts();
      const manifest = await makeBackup({
        data: settings.data,
        to,
        withFiles: files === true,
        version,
        now: new Date(),
      });
      const { size } = statSync(to);
      const facts = {
        file: to,
        bytes: size,
        files: manifest.files.length,
        schema: manifest.schema,
        made_at: manifest.madeAt,
      };
      if (json) return printJson(facts);
      note(`${to}: ${manifest.files.length} files, ${sizeText(size)}.`);
    });

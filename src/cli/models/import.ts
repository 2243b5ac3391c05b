// `forecourt models import`: models out of a file that another box made.
import { Command } from "commander";
import { importModels } from "../../control/bundle/import-models.ts";
import { systemClock } from "../../core/clock.ts";
import { type SettingsFlags, settingsOf, withSettings } from "../settings-flags.ts";
import { printJson, printLine } from "../terminal.ts";
import { tellServer } from "./reload.ts";

type Flags = SettingsFlags & { json?: true };

export const importBundle = () =>
  withSettings(new Command("import"))
    .summary("install models of a bundle")
    .description(
      "Installs models and weights of an archive that `forecourt models export` made. Every byte is checked before anything is installed; no network is needed.",
    )
    .argument("<file>", "the archive")
    .option("--json", "print as JSON")
    .action(async (from: string, { json, ...flags }: Flags) => {
      const { settings, origins } = settingsOf(flags);
      const { bundle, models } = await importModels({ from, data: settings.data, clock: systemClock });
      if (json) printJson({ made_at: bundle.madeAt, version: bundle.version, models });
      else
        for (const { id, commit, file } of models)
          printLine([id, ...(commit ? [commit.slice(0, 12)] : []), ...(file ? [file] : [])].join("  "));
      if (models.some(({ file }) => file !== undefined)) await tellServer({ settings, origins });
    });

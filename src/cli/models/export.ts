// `forecourt models export`: models in one file, for a box without a network.
import { statSync } from "node:fs";
import { Command } from "commander";
import { exportModels } from "../../control/bundle/export-models.ts";
import { createProgress } from "../progress.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { note, printJson, sizeText } from "../terminal.ts";
import { versionFacts } from "../version.ts";
import { catalogueOf, findModel } from "./catalogue.ts";
import { interruptible } from "./interrupt.ts";
import { forKinds, type KindFlags, variantsFor } from "./variants.ts";

type Flags = SettingsFlags & KindFlags & { json?: true };

export const exportBundle = () =>
  withSettings(new Command("export"))
    .summary("pack models for a box without a network")
    .description(
      "Writes models with their weights, licences and hashes into one tar archive, which `forecourt models import` takes. The weights have to be on this disk.",
    )
    .argument("<file>", "archive to write; one that is there is replaced once the new one is whole")
    .argument("<model...>", "ids or aliases")
    .addOption(forKinds())
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExample: forecourt models export bundle.tar openai/whisper-base fal-ai/birefnet")
    .action(async (to: string, endpoints: string[], { json, for: kinds, ...flags }: Flags) => {
      const { settings, catalog } = catalogueOf(flags);
      const ids = [...new Set(endpoints.map((endpoint) => findModel(catalog, endpoint).model.id))];
      const models = ids.map((id) => findModel(catalog, id).model);
      const variantsOf = await variantsFor({ models, settings, kinds });
      const progress = createProgress();
      const bundle = await interruptible("Stopped. Nothing was written.", (signal) =>
        exportModels({
          ...{ models, variantsOf, to, signal, data: settings.data, caches: settings.hub.caches, now: new Date() },
          version: versionFacts().version,
          onFile: (name) => progress.show(name),
        }),
      ).finally(() => progress.end());
      const { size } = statSync(to);
      if (json) return printJson({ file: to, bytes: size, models: ids, files: bundle.files.length });
      note(`${to}: ${ids.length} models, ${bundle.files.length} files, ${sizeText(size)}.`);
      const restricted = models.filter(({ licence }) => !licence.commercial).map(({ id }) => id);
      if (restricted.length > 0) note(`Not for commercial use: ${restricted.join(", ")}.`);
    });

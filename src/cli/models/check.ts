// `forecourt models check`: whether model files still say what their repositories are.
import { Command } from "commander";
import { type Checked, createCheck } from "../../control/catalog/check/check-model.ts";
import { hubAccess, openHub } from "../../control/weights/access.ts";
import { ForecourtError } from "../../core/errors.ts";
import { createProgress } from "../progress.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { note, printJson, printLine, table } from "../terminal.ts";
import { catalogueOf, findModel } from "./catalogue.ts";
import { interruptible } from "./interrupt.ts";

type Flags = SettingsFlags & { json?: true };

export const check = () =>
  withSettings(new Command("check"))
    .summary("compare models with the Hub")
    .description(
      "Asks the Hub for the repository of each model and compares: are the files there, in the size and with the hash that the model file says, does each pattern match something, can the graphs be fed, does the licence allow what the file says.",
    )
    .argument("[model...]", "ids or aliases; none: all models")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nDownloads nothing but small graph files. Ends with exit code 1 where something differs.")
    .action(async (endpoints: string[], { json, ...flags }: Flags) => {
      const { settings, catalog } = catalogueOf(flags);
      if (settings.hub.offline)
        throw new ForecourtError("misconfigured", "hub.offline is set, and the check asks the Hub: unset it for this.");
      const named = endpoints.map((endpoint) => findModel(catalog, endpoint).model);
      const models = named.length > 0 ? named : catalog.list().map(({ model }) => model);
      const progress = createProgress();
      const results = await interruptible("Stopped.", async (signal) => {
        const { data, hub } = settings;
        const checkModel = createCheck({ ...openHub(hubAccess(settings), note), signal, data, caches: hub.caches });
        const checked: Checked[] = [];
        for (const [at, model] of models.entries()) {
          progress.show(model.id, { at, of: models.length });
          checked.push(await checkModel(model));
        }
        return checked;
      }).finally(() => progress.end());
      if (json) printJson(results);
      else print(results);
      const differing = results.filter(({ differences }) => differences.length > 0).length;
      if (differing > 0)
        throw new ForecourtError("misconfigured", `${differing} of ${results.length} models differ from their source.`);
    });

function print(results: Checked[]): void {
  const rows = results.flatMap(({ model, differences }) =>
    differences.map(({ about, expected, found }) => [model, about, expected, found]),
  );
  if (rows.length > 0) printLine(table(["model", "about", "model file", "source"], rows));
  const same = results.filter(({ differences }) => differences.length === 0);
  const graphs = results.flatMap(({ graphsRead }) => graphsRead).length;
  note(`${same.length} models are as their files say; the inputs of ${graphs} graphs were read.`);
}

// `forecourt models pull`: fetches the weights of models.
import { Command } from "commander";
import { hubAccess, pullLimits } from "../../control/weights/access.ts";
import { resolveWeights } from "../../control/weights/embedded.ts";
import type { PulledWeights } from "../../control/weights/pull.ts";
import { type ModelPull, pullModel } from "../../control/weights/pull-model.ts";
import type { Model } from "../../engine/model.ts";
import { isFetched } from "../../engine/sources.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { printJson, printLine } from "../terminal.ts";
import { catalogueOf, findModel } from "./catalogue.ts";
import { createDownloadView } from "./download-view.ts";
import { interruptible } from "./interrupt.ts";
import { forKinds, type KindFlags, variantsFor } from "./variants.ts";

type Flags = SettingsFlags & KindFlags & { json?: true };

export const pull = () =>
  withSettings(new Command("pull"))
    .summary("fetch the weights of models")
    .description("Fetches what is missing of the weights of models, and goes on where an earlier call stopped.")
    .argument("<model...>", "ids or aliases")
    .addOption(forKinds())
    .option("--json", "print as JSON")
    .action(async (endpoints: string[], { json, for: kinds, ...flags }: Flags) => {
      const { settings, catalog } = catalogueOf(flags);
      const models = endpoints.map((endpoint) => findModel(catalog, endpoint).model);
      const variantsOf = await variantsFor({ models, settings, kinds });
      const tools = { data: settings.data, access: hubAccess(settings), limits: pullLimits(settings) };
      const stopped = "Stopped. What arrived is kept: the same command goes on from there.";
      const pulled = await interruptible(stopped, async (signal) => {
        const results: ({ model: string; dtype?: string } & PulledWeights)[] = [];
        for (const model of models.flatMap(variantsOf)) {
          const { id, dtype } = model;
          const weights = await pullOne(model, { ...tools, signal });
          if (!json) printLine(`${id}${dtype === undefined ? "" : ` (${dtype})`}: ${weights.folder}`);
          results.push({ model: id, ...(dtype !== undefined && { dtype }), ...weights });
        }
        return results;
      });
      if (json) printJson(pulled);
    });

type Tools = Pick<ModelPull, "data" | "access" | "limits" | "signal">;

async function pullOne(model: Model, tools: Tools): Promise<PulledWeights> {
  if (!isFetched(model)) return { folder: await resolveWeights({ model, data: tools.data }) };
  const view = createDownloadView(model.id);
  try {
    return await pullModel({ ...tools, model, onProgress: view.take });
  } finally {
    view.end();
  }
}

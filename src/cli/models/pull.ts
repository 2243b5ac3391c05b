// `forecourt models pull`: fetches the weights of models.
import { Command } from "commander";
import { hubAccess, pullLimits } from "../../control/weights/access.ts";
import { resolveWeights } from "../../control/weights/embedded.ts";
import { isFetchable } from "../../control/weights/presence.ts";
import type { PulledWeights } from "../../control/weights/pull.ts";
import { type ModelPull, pullModel } from "../../control/weights/pull-model.ts";
import type { Model } from "../../engine/model.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { printJson, printLine } from "../terminal.ts";
import { catalogueOf, findModel } from "./catalogue.ts";
import { createDownloadView } from "./download-view.ts";
import { interruptible } from "./interrupt.ts";

export const pull = () =>
  withSettings(new Command("pull"))
    .summary("fetch the weights of models")
    .description("Fetches what is missing of the weights of models, and goes on where an earlier call stopped.")
    .argument("<model...>", "ids or aliases")
    .option("--json", "print as JSON")
    .action(async (endpoints: string[], { json, ...flags }: SettingsFlags & { json?: true }) => {
      const { settings, catalog } = catalogueOf(flags);
      const models = endpoints.map((endpoint) => findModel(catalog, endpoint).model);
      const tools = { data: settings.data, access: hubAccess(settings), limits: pullLimits(settings) };
      const stopped = "Stopped. What arrived is kept: the same command goes on from there.";
      const pulled = await interruptible(stopped, async (signal) => {
        const results: ({ model: string } & PulledWeights)[] = [];
        for (const model of models) {
          const weights = await pullOne(model, { ...tools, signal });
          if (!json) printLine(`${model.id}: ${weights.folder}`);
          results.push({ model: model.id, ...weights });
        }
        return results;
      });
      if (json) printJson(pulled);
    });

type Tools = Pick<ModelPull, "data" | "access" | "limits" | "signal">;

async function pullOne(model: Model, tools: Tools): Promise<PulledWeights> {
  if (!isFetchable(model.source)) return { folder: await resolveWeights({ model, data: tools.data }) };
  const view = createDownloadView(model.id);
  try {
    return await pullModel({ ...tools, model, onProgress: view.take });
  } finally {
    view.end();
  }
}

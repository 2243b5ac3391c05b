// `forecourt run`: one inference, through the running server if there is one.
import { mkdirSync } from "node:fs";
import { Command } from "commander";
import { createCatalog } from "../control/catalog/catalog.ts";
import type { Resolved } from "../control/settings/resolve.ts";
import type { Settings } from "../control/settings.ts";
import { createLog } from "../core/log.ts";
import { findModel } from "./models/catalogue.ts";
import { createProgress } from "./progress.ts";
import { readInput } from "./run/input.ts";
import { type Outcome, saveFiles } from "./run/outcome.ts";
import type { Order } from "./run/through-server.ts";
import { findServer, placeOf } from "./running-server.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine } from "./terminal.ts";

const HERE = ".";

type Flags = SettingsFlags & { output: string; json?: true };

export const run = () =>
  withSettings(new Command("run"), ["data", "host", "port", "device"])
    .description("Runs a model once: through the running server if there is one, else in this process.")
    .argument("<model>", "id or alias, see `forecourt models list`")
    .argument("[input...]", "inputs as key=value; @FILE for pictures; see `forecourt models show MODEL`")
    .option("-o, --output <dir>", "where files are written", HERE)
    .option("--json", "print output, file paths and timing as JSON")
    .addHelpText("after", '\nExample: forecourt run forecourt/demo-diffusion prompt="a red circle" seed=7')
    .action(async (endpoint: string, pairs: string[], { output: folder, json, ...flags }: Flags) => {
      const resolved = settingsOf(flags);
      const { settings } = resolved;
      const entry = findModel(createCatalog({ data: settings.data }), endpoint);
      const input = await readInput(entry.input, pairs);
      if (folder !== HERE) mkdirSync(folder, { recursive: true }); // the run may be long, and may cost
      const outcome = await runOnce(resolved, { entry, endpoint, input });
      const files = await saveFiles(outcome, { model: entry.model.id, folder });
      print(outcome, { files, json, model: entry.model.id });
    });

type Asked = Pick<Order, "entry" | "endpoint" | "input">;

async function runOnce(resolved: Resolved<Settings>, asked: Asked): Promise<Outcome> {
  const interrupt = new AbortController();
  const cancel = () => interrupt.abort();
  process.once("SIGINT", cancel).once("SIGTERM", cancel);
  const progress = createProgress();
  const order: Order = { ...asked, progress, signal: interrupt.signal };
  try {
    const server = await findServer(placeOf(resolved));
    if (server) return await (await import("./run/through-server.ts")).runThroughServer(server, order);
    const log = createLog({ level: "warn", format: "text" });
    return await (await import("./run/in-process.ts")).runInProcess({ settings: resolved.settings, log }, order);
  } finally {
    progress.end();
    process.off("SIGINT", cancel).off("SIGTERM", cancel);
  }
}

/** Paths of files alone on stdout, one a line; an output without files as JSON. */
function print(
  outcome: Outcome,
  { files, json, model }: { files: string[]; json: true | undefined; model: string },
): void {
  const { requestId, output, device, dtype, timing } = outcome;
  if (json) printJson({ request_id: requestId, model, output, files, device, dtype, timing });
  else if (files.length === 0) printJson(output);
  else for (const path of files) printLine(path);
  const place = `${device ?? "an unknown device"}${dtype === undefined ? "" : ` (${dtype})`}`;
  if (!json) note(`on ${place}, milliseconds: ${timing ?? "unknown"}`);
}

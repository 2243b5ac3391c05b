// `forecourt models verify`: reads weights again and compares every byte with what it should be.
import { Command } from "commander";
import type { Settings } from "../../control/settings.ts";
import { listWeights } from "../../control/weights/library.ts";
import { type StoredPart, storedOf } from "../../control/weights/stored-of.ts";
import { discardDamaged, type VerifiedFile, verifyWeights } from "../../control/weights/verify.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { fetchablePartsOf, isFetched } from "../../engine/sources.ts";
import { createProgress } from "../progress.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { note, printJson, printLine, sizeText } from "../terminal.ts";
import { catalogueOf, findModel } from "./catalogue.ts";
import { interruptible } from "./interrupt.ts";

type Flags = SettingsFlags & { json?: true; discard?: true };
/** Of one source; `beside` names which one, where it is not the model's own. */
type Verified = { model: string; beside?: string; folder: string; files: VerifiedFile[] };

export const verify = () =>
  withSettings(new Command("verify"))
    .summary("hash weights again")
    .description("Reads the weights of models and compares every byte with the hash that it should have.")
    .argument("[model...]", "ids or aliases; none: all models whose weights were fetched")
    .option("--discard", "remove damaged files, so that `models pull` fetches just these again")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nEnds with exit code 1 when a file is damaged or missing.")
    .action(async (endpoints: string[], { json, discard, ...flags }: Flags) => {
      const { settings, catalog } = catalogueOf(flags);
      const stored = await listWeights({ data: settings.data, caches: settings.hub.caches });
      const named = endpoints.map((endpoint) => findModel(catalog, endpoint).model);
      const models = named.length > 0 ? named : catalog.list().map(({ model }) => model);
      const results: Verified[] = [];
      await interruptible("Stopped.", async (signal) => {
        for (const model of models) {
          const found = await storedOf(model, stored, settings.data);
          if (named.length > 0) expectAll(found, model);
          for (const each of found)
            results.push(await verifyOne(model, { settings, ...each, signal, ...(discard && { discard }) }));
        }
      });
      if (json) printJson(results);
      else print(results);
      const bad = results.flatMap(({ files }) => files.filter(isBad)).length;
      if (bad > 0)
        throw new ForecourtError("weights_missing", `${bad} files are damaged or missing. ${remedy(discard ?? false)}`);
    });

const isBad = ({ state }: VerifiedFile) => state === "damaged" || state === "missing";

const remedy = (isDiscarded: boolean) =>
  `${isDiscarded ? "" : "Run the same command with --discard, then"} \`forecourt models pull\` fetches them again.`.trim();

/** Weights that were never fetched are not right either. */
function expectAll(found: readonly StoredPart[], model: Model): void {
  const { id } = model;
  if (!isFetched(model))
    throw new ForecourtError("bad_request", `The weights of ${id} were not fetched, so no hashes of them are known.`);
  if (found.length === fetchablePartsOf(model).length) return;
  const which = found.length === 0 ? "" : "all ";
  throw new ForecourtError(
    "weights_missing",
    `The weights of ${id} are not ${which}on this machine: forecourt models pull ${id}`,
  );
}

type Task = StoredPart & { settings: Settings; signal: AbortSignal; discard?: true };

async function verifyOne({ id }: Model, { settings, weights, folder, signal, discard }: Task): Promise<Verified> {
  const progress = createProgress();
  try {
    const files = await verifyWeights({
      weights,
      signal,
      onProgress: ({ path, at, of }) =>
        progress.show(`${id}: ${path}`, { at: Math.floor((100 * at) / (of || 1)), of: 100 }),
    });
    if (discard) await discardDamaged({ data: settings.data, weights, files });
    return { model: id, ...(folder !== "" && { beside: folder }), folder: weights.folder, files };
  } finally {
    progress.end();
  }
}

function print(results: Verified[]): void {
  if (results.length === 0) note("No weights were fetched yet.");
  for (const { model, beside, files } of results) {
    const bytes = files.reduce((sum, each) => sum + each.bytes, 0);
    const bad = files.filter(isBad);
    printLine(
      `${model}${beside === undefined ? "" : ` (${beside})`}: ${bad.length === 0 ? `all ${files.length} files are right, ${sizeText(bytes)}` : `${bad.length} of ${files.length} files are not right`}`,
    );
    for (const { path, state } of bad) printLine(`  ${state.padEnd(8)}${path}`);
  }
}

// Where the weights of a model lie on disk: in the checkout, unpacked from the executable, or where its file says.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { embeddedFolder } from "../../engine/embedded/embedded.ts";
import { unpack } from "../../engine/embedded/unpack.ts";
import type { Model } from "../../engine/model.ts";
import { settledSource } from "./pins.ts";
import { type HubAccess, pull } from "./pull.ts";

/** In a model file: the pipeline needs no weights. */
export const NO_WEIGHTS = "none";

/** models/ of the checkout, when running from source. */
const MODELS = resolve(import.meta.dir, "../../../models");

/**
 * The folder to hand to a runner, without asking the network. Embedded weights are unpacked to `<data>/weights/embedded/`
 * the first time. Throws `weights_missing` when files are not there; with the reason `offline` a `pull` may get them.
 */
export async function resolveWeights({ model, data, caches = [] }: Whereabouts): Promise<string> {
  const { source } = model;
  const weights = join(data, "weights");
  if ("path" in source) return existing(source.path, "as its model file says");
  if ("repo" in source || "urls" in source) {
    const access: HubAccess = { caches, isOffline: true };
    return (await pull({ source: await settledSource(model, data), data, access })).folder;
  }
  if (source.embedded === NO_WEIGHTS) return weights;
  if (!Bun.isStandaloneExecutable) return existing(join(MODELS, source.embedded), "in this checkout");
  const folder = embeddedFolder(source.embedded);
  if (!folder) throw new ForecourtError("weights_missing", `this executable does not carry models/${source.embedded}`);
  return await unpack({ folder, into: join(weights, "embedded") });
}

type Whereabouts = { model: Pick<Model, "id" | "source">; data: string; caches?: readonly string[] };

function existing(folder: string, where: string): string {
  if (!existsSync(folder)) throw new ForecourtError("weights_missing", `there is no folder ${folder} ${where}`);
  return folder;
}

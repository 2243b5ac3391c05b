// Where the weights of a model lie on disk: in the checkout, unpacked from the executable, fetched, or where its file says.
import { NO_WEIGHTS, type Sourced } from "../../engine/sources.ts";
import { weightsRoot } from "./disk/layout.ts";
import { pull } from "./pull.ts";
import { settledSources } from "./settled.ts";

/**
 * The folder to hand to a runner, without asking the network. Throws `weights_missing` when files are not there; with the
 * reason `offline` a `pull` may get them.
 */
export async function resolveWeights({ model, data, caches = [] }: Whereabouts): Promise<string> {
  const { source } = model;
  if ("embedded" in source && source.embedded === NO_WEIGHTS) return weightsRoot(data);
  const access = { caches, isOffline: true };
  return (await pull({ ...(await settledSources(model, data)), data, access })).folder;
}

type Whereabouts = { model: Sourced; data: string; caches?: readonly string[] };

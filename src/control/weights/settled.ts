// A model's sources as this box takes them: a branch or tag is the commit that it has settled on, what it carries a folder.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { embeddedFolder } from "../../engine/embedded/embedded.ts";
import { unpack } from "../../engine/embedded/unpack.ts";
import { type Part, partsOf, type Sourced, type Sources } from "../../engine/sources.ts";
import { weightsRoot } from "./disk/layout.ts";
import { pinOf, sourceAt } from "./pins.ts";
import type { WeightsSource } from "./source.ts";

/** models/ of the checkout, when running from source. */
const MODELS = resolve(import.meta.dir, "../../../models");

/** Commits instead of those that are settled on, by the source's folder. */
export type OtherCommits = Readonly<Record<string, string>>;

/**
 * Embedded weights are unpacked to `<data>/weights/embedded/` the first time. Throws `weights_missing` for those that this
 * executable does not carry.
 */
export async function settledSources(
  model: Sourced,
  data: string,
  others: OtherCommits = {},
): Promise<Sources<WeightsSource>> {
  const settled = partsOf(model).map(async (part) => {
    const { folder } = part;
    return { folder, source: await settledSource(part, data, others[folder]) };
  });
  return together(await Promise.all(settled));
}

function together([own, ...beside]: { folder: string; source: WeightsSource }[]): Sources<WeightsSource> {
  if (!own) throw new RangeError("a model has a source");
  return { source: own.source, beside: Object.fromEntries(beside.map(({ folder, source }) => [folder, { source }])) };
}

async function settledSource(part: Part, data: string, other: string | undefined): Promise<WeightsSource> {
  const { source } = part;
  if ("embedded" in source) return { path: await carried(source.embedded, data) };
  if (!("repo" in source)) return source;
  const commit = other ?? (await pinOf(part, data))?.commit;
  return commit === undefined ? source : sourceAt(source, commit);
}

async function carried(name: string, data: string): Promise<string> {
  if (!Bun.isStandaloneExecutable) {
    const folder = join(MODELS, name);
    if (existsSync(folder)) return folder;
    throw new ForecourtError("weights_missing", `there is no folder ${folder} in this checkout`);
  }
  const folder = embeddedFolder(name);
  if (!folder) throw new ForecourtError("weights_missing", `this executable does not carry models/${name}`);
  return await unpack({ folder, into: join(weightsRoot(data), "embedded") });
}

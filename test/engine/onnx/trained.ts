// Models of models/ on the trained graphs that lie beside the repository: their files are found by hash.
import { mkdtempSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { pathOf } from "../../../src/control/weights/plan/plan-urls.ts";
import { pipelineOf } from "../../../src/engine/pipelines/registry.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { sharedFile } from "../support/shared.ts";

type Held = { file: string; sha256: string };

const manifest = sharedFile("weights/manifest.json");
/** Why such tests are skipped, where they are. */
export const areHere = manifest !== undefined;

const catalog = createCatalog({});

/** The model with its weights, opened on the CPU. */
export function openTrained(id: string) {
  const model = catalog.find(id)?.model;
  if (!model || !("urls" in model.source)) throw new Error(`${id} has no URLs`);
  const held: Held[] = JSON.parse(readFileSync(manifest ?? "", "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "forecourt-trained-"));
  for (const file of model.source.urls) {
    const source = sharedFile(`weights/${held.find(({ sha256 }) => sha256 === file.sha256)?.file}`);
    if (!source) throw new Error(`${file.url} of ${id} is not among the shared weights`);
    symlinkSync(source, join(folder, pathOf(file)));
  }
  return { pipeline: pipelineOf(model), assets: openFolder(folder) };
}

/** One answer of the model for the bytes of one picture or sound. */
export async function ask(id: string, media: Uint8Array, options: Record<string, unknown> = {}) {
  const { pipeline, assets } = openTrained(id);
  const [field = ""] = Object.keys(pipeline.input.properties);
  const input = { [field]: "https://example.org/file", ...options };
  return { ...(await runOnce(pipeline, { assets, input, media: async () => media })), assets };
}

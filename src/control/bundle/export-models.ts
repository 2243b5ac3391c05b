// Packs models with their weights into one tar archive, every byte compared with its hash on the way.
import { open, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { YAML } from "bun";
import { deviceKinds } from "../../core/device.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { modelOn } from "../../engine/variants.ts";
import { type Packed, packEnd, packFile, packText } from "../backup/tar.ts";
import type { VariantsHere } from "../variants-here.ts";
import { hashFile } from "../weights/disk/digest.ts";
import type { PlannedFile } from "../weights/plan/plan.ts";
import { fetchableOf, isFetchable, presenceOfAll, wantedOfAll } from "../weights/presence.ts";
import { type Bundle, type BundledModel, fileOfModel, fileOfWeights, LICENCES, MANIFEST, SEAL } from "./bundle.ts";

export type ExportOrder = {
  models: readonly Model[];
  /** Those that the other box needs of each. */
  variantsOf: VariantsHere;
  data: string;
  caches: readonly string[];
  to: string;
  version: string;
  now: Date;
  signal: AbortSignal;
  onFile?: (name: string) => void;
};

type Chosen = { model: Model; bundled: BundledModel; folder?: string };

/**
 * `to` is complete or absent. Throws `weights_missing` for weights that are not whole on this disk, or not what they
 * should be, and `bad_request` for models of a folder of this machine.
 */
export async function exportModels(order: ExportOrder): Promise<Bundle> {
  const chosen: Chosen[] = [];
  for (const model of order.models) chosen.push(await chooseModel(model, order));
  const target = resolve(order.to);
  const draft = `${target}.draft-${process.pid}`;
  try {
    const bundle = await pack(chosen, draft, order);
    await rename(draft, target);
    return bundle;
  } catch (error) {
    if (error instanceof ForecourtError || order.signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ForecourtError("unavailable", `The bundle could not be written: ${reason}.`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

async function chooseModel(model: Model, { variantsOf, data, caches }: ExportOrder): Promise<Chosen> {
  const { id, source, licence } = model;
  if ("path" in source)
    throw new ForecourtError("bad_request", `The weights of ${id} are a folder of this machine: copy ${source.path}.`);
  if (!isFetchable(source)) return { model, bundled: { id, licence } };
  const variants = variantsOf(model);
  const wanted = (await wantedOfAll(fetchableOf(variants), data)).known;
  const { state, folder } = await presenceOfAll({ variants, data, caches });
  if (!wanted || state !== "complete" || folder === undefined) {
    const kinds = deviceKinds.filter((kind) => variants.includes(modelOn(model, kind)));
    const which = model.devices ? ` --for ${kinds.join(",")}` : "";
    throw new ForecourtError(
      "weights_missing",
      `The weights of ${id} are not on this disk: forecourt models pull ${id}${which}`,
    );
  }
  const title = "repo" in source ? source.repo : id;
  const dtypes = variants.flatMap(({ dtype }) => dtype ?? []);
  const weights = { title, ...wanted.place, files: wanted.files, ...(model.devices && { dtypes }) };
  return { model, folder, bundled: { id, licence, weights } };
}

async function pack(chosen: readonly Chosen[], draft: string, { version, now, signal, onFile }: ExportOrder) {
  await using archive = await open(draft, "wx", 0o644);
  const files: Packed[] = [];
  const text = async (name: string, content: string) => {
    await packText(archive, { name, text: content });
    const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
    files.push({ name, size: Buffer.byteLength(content), sha256 });
  };
  await text(LICENCES, licencesOf(chosen));
  for (const { model } of chosen) await text(fileOfModel(model.id), YAML.stringify(model, null, 2));
  const packed = new Set<string>();
  for (const { bundled, folder } of chosen) {
    const { weights } = bundled;
    if (!weights || folder === undefined) continue;
    for (const file of weights.files) {
      signal.throwIfAborted();
      const name = fileOfWeights(weights, file.path);
      if (packed.has(name)) continue; // of a model with the same weights
      packed.add(name);
      onFile?.(name);
      const path = join(folder, file.path);
      const done = await packFile(archive, { name, path });
      await expectRight(done, { file, path, model: bundled.id });
      files.push(done);
    }
  }
  const models = chosen.map(({ bundled }) => bundled);
  const bundle: Bundle = { format: "forecourt-models-1", version, madeAt: now.toISOString(), models, files };
  const manifest = `${JSON.stringify(bundle, null, 1)}\n`;
  await packText(archive, { name: MANIFEST, text: manifest });
  await packText(archive, { name: SEAL, text: new Bun.CryptoHasher("sha256").update(manifest).digest("hex") });
  await packEnd(archive);
  await archive.sync();
  return bundle;
}

type Wanted = { file: PlannedFile; path: string; model: string };

async function expectRight({ size, sha256 }: Packed, { file: { bytes, digest, path: name }, path, model }: Wanted) {
  const hex = digest.algorithm === "sha256" ? sha256 : await hashFile(path, digest.algorithm);
  if (size === bytes && hex === digest.hex) return;
  throw new ForecourtError(
    "weights_missing",
    `${name} of ${model} is damaged: forecourt models verify ${model} --discard, then pull it again.`,
  );
}

const licencesOf = (chosen: readonly Chosen[]) =>
  chosen
    .map(({ model: { id, title, licence, source } }) =>
      [
        `${id} (${title})`,
        `  licence: ${licence.id}${licence.commercial ? "" : " - no commercial use"}`,
        ...(licence.url ? [`  terms: ${licence.url}`] : []),
        ...("repo" in source ? [`  weights: ${source.repo}`] : []),
      ].join("\n"),
    )
    .join("\n\n")
    .concat("\n");

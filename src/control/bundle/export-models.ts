// Packs models with their weights into one tar archive, every byte compared with its hash on the way.
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { YAML } from "bun";
import { deviceKinds } from "../../core/device.ts";
import { ForecourtError, invariant } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { fetchablePartsOf, partsOf } from "../../engine/sources.ts";
import { modelOn } from "../../engine/variants.ts";
import { archivePlace } from "../backup/archive-place.ts";
import { type Packed, packEnd, packFile, packText } from "../backup/tar.ts";
import type { VariantsHere } from "../variants-here.ts";
import { hashFile } from "../weights/disk/digest.ts";
import type { PlannedFile } from "../weights/plan/plan.ts";
import { presenceOfSource, wantedOfAll } from "../weights/presence.ts";
import {
  type Bundle,
  type BundledModel,
  type BundledPart,
  fileOfModel,
  fileOfWeights,
  LICENCES,
  MANIFEST,
  SEAL,
} from "./bundle.ts";

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

/** `at`: where the files of one source lie. */
type Chosen = { model: Model; bundled: BundledModel; parts: (BundledPart & { at: string })[] };

/**
 * `to` is complete or absent. Throws `weights_missing` for weights that are not whole on this disk, or not what they
 * should be, and `bad_request` for models of a folder of this machine, and where something other than an archive is in
 * its place.
 */
export async function exportModels(order: ExportOrder): Promise<Bundle> {
  const { target, draft } = archivePlace(order.to);
  const chosen: Chosen[] = [];
  for (const model of order.models) chosen.push(await chooseModel(model, order));
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

async function chooseModel(model: Model, order: ExportOrder): Promise<Chosen> {
  const { id, licence } = model;
  for (const { source } of partsOf(model))
    if ("path" in source)
      throw new ForecourtError(
        "bad_request",
        `The weights of ${id} are a folder of this machine: copy ${source.path}.`,
      );
  const parts: Chosen["parts"] = [];
  for (const { folder } of fetchablePartsOf(model)) parts.push(await choosePart(model, folder, order));
  const [own] = parts.filter(({ folder }) => folder === "");
  const beside = parts.filter(({ folder }) => folder !== "").map(({ folder, weights }) => [folder, weights]);
  const bundled = {
    ...{ id, licence },
    ...(own && { weights: own.weights }),
    ...(beside.length > 0 && { beside: Object.fromEntries(beside) }),
  };
  return { model, bundled, parts };
}

async function choosePart(model: Model, folder: string, { variantsOf, data, caches }: ExportOrder) {
  const { id } = model;
  const variants = variantsOf(model);
  const parts = variants.flatMap(fetchablePartsOf).filter((part) => part.folder === folder);
  const [part] = parts;
  invariant(part, "each variant has the sources of its model");
  const wanted = (await wantedOfAll(parts, data)).known;
  const { state, folder: at } = await presenceOfSource({ parts, data, caches });
  if (!wanted || state !== "complete" || at === undefined) {
    const kinds = deviceKinds.filter((kind) => variants.includes(modelOn(model, kind)));
    const which = model.devices ? ` --for ${kinds.join(",")}` : "";
    throw new ForecourtError(
      "weights_missing",
      `The weights of ${id} are not on this disk: forecourt models pull ${id}${which}`,
    );
  }
  const title = "repo" in part.source ? part.source.repo : id;
  const dtypes = variants.flatMap(({ dtype }) => dtype ?? []);
  const licence = model.beside[folder]?.licence;
  const about = { ...(licence && { licence }), ...(model.devices && { dtypes }) };
  return { folder, at, weights: { title, ...wanted.place, ...about, files: wanted.files } };
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
  for (const { weights, at, model } of chosen.flatMap(({ parts, model }) =>
    parts.map((part) => ({ ...part, model })),
  )) {
    for (const file of weights.files) {
      signal.throwIfAborted();
      const name = fileOfWeights(weights, file.path);
      if (packed.has(name)) continue; // of a model with the same weights
      packed.add(name);
      onFile?.(name);
      const path = join(at, file.path);
      const done = await packFile(archive, { name, path });
      await expectRight(done, { file, path, model: model.id });
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
    .map(({ model: { id, title, licence, source, beside } }) =>
      [
        `${id} (${title})`,
        ...termsOf(licence),
        ...("repo" in source ? [`  weights: ${source.repo}`] : []),
        ...Object.entries(beside).flatMap(([folder, each]) => [
          `  ${folder}/${"repo" in each.source ? `: ${each.source.repo}` : ""}`,
          ...termsOf(each.licence ?? licence).map((line) => `  ${line}`),
        ]),
      ].join("\n"),
    )
    .join("\n\n")
    .concat("\n");

const termsOf = ({ id, commercial, url }: Model["licence"]) => [
  `  licence: ${id}${commercial ? "" : " - no commercial use"}`,
  ...(url ? [`  terms: ${url}`] : []),
];

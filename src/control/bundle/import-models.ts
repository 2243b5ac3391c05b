// Installs a bundle of models: unpacked beside, looked through to its last byte, and only then put in place.
import { existsSync } from "node:fs";
import { cp, link, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { type FetchableSource, fetchablePartsOf, type Part, partsOf } from "../../engine/sources.ts";
import { allVariants } from "../../engine/variants.ts";
import { MANIFEST as BACKUP } from "../backup/contents.ts";
import { newStage } from "../backup/stage.ts";
import { type Packed, unpack } from "../backup/tar.ts";
import { damaged, otherArchive } from "../backup/tar-header.ts";
import { type Catalog, createCatalog } from "../catalog/catalog.ts";
import { readModel } from "../catalog/read-model.ts";
import { tryFileLock } from "../database/file-lock.ts";
import { hashFile } from "../weights/disk/digest.ts";
import { folderNameOf, lockPath, repoFolder, weightsRoot } from "../weights/disk/layout.ts";
import { linkFile, sizeOnDisk } from "../weights/disk/snapshot.ts";
import { expectSpace } from "../weights/disk/space.ts";
import { choose } from "../weights/patterns.ts";
import { keepPin, sourceAt } from "../weights/pins.ts";
import { planKey, storePlan } from "../weights/plan/plan.ts";
import { questionOf } from "../weights/plan/plan-hub.ts";
import { placeOfUrls } from "../weights/plan/plan-urls.ts";
import {
  type Bundle,
  type BundledPart,
  type BundledWeights,
  bundledParts,
  fileOfModel,
  fileOfWeights,
  LICENCES,
  MANIFEST,
  readBundle,
  SEAL,
} from "./bundle.ts";

export type Imported = {
  bundle: Bundle;
  models: { id: string; commit?: string /** Absent: the box knew it. */; file?: string }[];
};

export type ImportOrder = { from: string; data: string; clock: Clock };

type Stage = { stage: string; data: string };
type Given = { id: string; model: Model; isKnown: boolean; parts: BundledPart[] };

/**
 * Throws `bad_request` for a bundle that is damaged or names files where it should not, `misconfigured` for models that
 * this version or this box cannot take, `unavailable` while the same weights are being fetched; nothing is changed then.
 * Interrupted, it can be run again.
 */
export async function importModels({ from, data, clock }: ImportOrder): Promise<Imported> {
  if (!existsSync(from)) throw new ForecourtError("not_found", `There is no file ${from}.`);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const stage = await newStage(data, "importing");
  await expectSpace(data, (await stat(from)).size);
  try {
    const bundle = await checkedBundle(await unpack(from, stage), stage);
    const given = await checkedModels(bundle, { stage, data });
    for (const { id, parts, model } of given) for (const part of parts) await checkWeights(part, { id, model, stage });
    using _locks = lockAll(given, data);
    const models: Imported["models"] = [];
    for (const each of given) models.push(await install(each, { stage, data, clock }));
    return { bundle, models };
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function checkedBundle(files: Packed[], stage: string): Promise<Bundle> {
  const found = new Map(files.map((file) => [file.name, file]));
  const manifest = found.get(MANIFEST);
  if (found.has(BACKUP)) throw otherArchive("a backup of a box; `forecourt restore` takes it");
  if (!manifest || !found.has(SEAL)) throw damaged("it has no manifest, so it was cut short");
  if ((await readFile(join(stage, SEAL), "utf8")) !== manifest.sha256) throw damaged("its manifest was changed");
  const bundle = readBundle(await readFile(join(stage, MANIFEST), "utf8"));
  const wanted = new Set([
    LICENCES,
    ...bundle.models.flatMap((model) => [fileOfModel(model.id), ...bundledParts(model).flatMap(namesOf)]),
  ]);
  for (const name of [MANIFEST, SEAL]) found.delete(name);
  for (const { name, size, sha256 } of bundle.files) {
    const file = found.get(name);
    if (file?.size !== size || file.sha256 !== sha256) throw damaged(`${name} is not as it was packed`);
    found.delete(name);
    if (!wanted.delete(name)) throw damaged(`it holds ${name}, which none of its models has`);
  }
  if (found.size > 0) throw damaged(`it holds ${[...found.keys()][0]}, which its manifest does not know`);
  if (wanted.size > 0) throw damaged(`it lacks ${[...wanted][0]}`);
  return bundle;
}

const namesOf = ({ weights }: BundledPart) => weights.files.map(({ path }) => fileOfWeights(weights, path));

const TRIED = "bundle-";

/** Each fits the catalogue of this box, as it is and with all of them. */
async function checkedModels({ models }: Bundle, { stage, data }: Stage): Promise<Given[]> {
  const catalog = createCatalog({ data });
  const given: Given[] = [];
  for (const bundled of models) {
    const { id } = bundled;
    const file = fileOfModel(id);
    const model = readModel({ file: `${file} of the bundle`, text: await readFile(join(stage, file), "utf8") });
    if (model.id !== id) throw damaged(`${file} is of the model ${model.id}`);
    given.push({ id, model, isKnown: isKnown(model, catalog), parts: bundledParts(bundled) });
  }
  const trial = join(stage, "trial");
  const own = join(data, "models");
  // What is linked is copied too: the trial must not reach the operator's own files.
  if (existsSync(own)) await cp(own, join(trial, "models"), { recursive: true, dereference: true });
  await mkdir(join(trial, "models"), { recursive: true });
  for (const { id, isKnown } of given)
    if (!isKnown) await cp(join(stage, fileOfModel(id)), join(trial, "models", `${TRIED}${basename(fileOfModel(id))}`));
  const wrong = createCatalog({ data: trial })
    .wrong()
    .filter(({ file }) => basename(file).startsWith(TRIED));
  if (wrong.length > 0) throw new ForecourtError("misconfigured", wrong.map(({ reason }) => reason).join(" "));
  return given;
}

/**
 * A model of the operator stays as it is; one of the executable gives way to one of the bundle that is from elsewhere, and
 * an alias of it to a model of that id, as bundles of earlier versions have them.
 */
function isKnown(model: Model, catalog: Catalog): boolean {
  const { id } = model;
  const refusal = catalog.refusal(id);
  if (refusal) throw refusal;
  const own = catalog.find(id);
  if (!own) return false;
  if (own.model.id === id && originOf(own.model) === originOf(model)) return true;
  if (own.origin === "built-in") return false;
  const what = own.model.id === id ? `has other weights in ${own.origin}` : `is an alias of ${own.model.id} here`;
  throw new ForecourtError("misconfigured", `${id} ${what}. Nothing was changed.`);
}

/** What decides which files they are. */
const originOf = (model: Model) =>
  JSON.stringify([model.devices, ...allVariants(model).flatMap(partsOf).map(sourceText)]);

function sourceText({ source }: Part): string {
  if ("urls" in source) return JSON.stringify(source.urls.map(({ sha256 }) => sha256));
  if (!("repo" in source)) return JSON.stringify(source);
  const { repo, revision } = source;
  const files = "files" in source ? source.files.map(({ path }) => path) : [source.include, source.exclude];
  return JSON.stringify([repo, revision, files]);
}

type Checking = { id: string; model: Model; stage: string };

/** The weights are those of the model, and each file what its digest says. */
async function checkWeights(bundled: BundledPart, { id, model, stage }: Checking): Promise<void> {
  const { weights } = bundled;
  for (const part of packedOf(bundled, model)) {
    if (!isOf(weights, part.source))
      throw damaged(`the weights of ${id} are of ${weights.folderName} at ${weights.commit}`);
    filesOf(weights, part);
  }
  for (const { path, bytes, digest } of weights.files) {
    const staged = join(stage, fileOfWeights(weights, path));
    const hex = (await sizeOnDisk(staged)) === bytes ? await hashFile(staged, digest.algorithm) : undefined;
    if (hex !== digest.hex) throw damaged(`${path} of ${id} is not what its hash says`);
  }
}

/** Of one source of a model, as the variants have it whose files are in the bundle. */
function packedOf({ folder, weights: { dtypes } }: BundledPart, model: Model): Part<FetchableSource>[] {
  if (!fetchablePartsOf(model).some((part) => part.folder === folder))
    throw damaged(`${model.id} has no weights ${folder === "" ? "of its own" : `in ${folder}/`}`);
  const packed = allVariants(model).filter(({ dtype }) => !model.devices || dtypes?.includes(dtype ?? ""));
  if (packed.length < (dtypes?.length ?? 1)) throw damaged(`${model.id} has no such variants as ${dtypes?.join(", ")}`);
  return packed.flatMap(fetchablePartsOf).filter((part) => part.folder === folder);
}

/** Of one variant, whose patterns chose them among all that were packed. Throws `bad_request` where one chooses nothing. */
function filesOf(
  { files, dtypes, commit }: BundledWeights,
  { id, source }: Part<FetchableSource>,
): BundledWeights["files"] {
  if (!dtypes || !("repo" in source)) return files;
  const { files: pinned, include = [], exclude = [] } = sourceAt(source, commit);
  try {
    return choose(files, { include: pinned?.map(({ path }) => path) ?? include, exclude });
  } catch (error) {
    throw damaged(`it lacks files of ${id}`, error);
  }
}

function isOf({ folderName, commit, files }: BundledWeights, source: FetchableSource): boolean {
  if ("urls" in source) {
    const place = placeOfUrls(source);
    return folderName === place.folderName && commit === place.commit;
  }
  if (folderName !== folderNameOf(source.repo)) return false;
  if (!("files" in source) || commit !== source.revision) return true;
  const hashOf = new Map(files.map(({ path, digest }) => [path, digest.hex]));
  return source.files.every(({ path, sha256 }) => hashOf.get(path) === sha256);
}

function lockAll(given: readonly Given[], data: string): Disposable {
  using held = new DisposableStack();
  for (const folderName of new Set(given.flatMap(({ parts }) => parts.map(({ weights }) => weights.folderName)))) {
    const lock = tryFileLock(lockPath(weightsRoot(data), folderName));
    if (!lock)
      throw new ForecourtError("unavailable", `${folderName} is being fetched; wait for that or stop it first.`);
    held.use(lock);
  }
  return held.move();
}

async function install(
  given: Given,
  { stage, data, clock }: Stage & { clock: Clock },
): Promise<Imported["models"][number]> {
  const { id, model, parts, isKnown } = given;
  for (const part of parts) await putWeights(part, { model, stage, data, clock });
  const [own] = parts.filter(({ folder }) => folder === "");
  const settled = own && { commit: own.weights.commit };
  if (isKnown) return { id, ...settled };
  const file = join(data, fileOfModel(id));
  await mkdir(dirname(file), { recursive: true });
  // The folder of models may be a link to another disk.
  const fresh = `${file}.${process.pid}.new`;
  await cp(join(stage, fileOfModel(id)), fresh);
  await rename(fresh, file);
  return { id, file, ...settled };
}

type Putting = Stage & { model: Model; clock: Clock };

async function putWeights(bundled: BundledPart, { model, stage, data, clock }: Putting) {
  const { weights } = bundled;
  const { folderName, commit, title, files } = weights;
  const folder = repoFolder(weightsRoot(data), folderName);
  for (const path of [folder.blobs, folder.snapshots]) await mkdir(path, { recursive: true });
  for (const file of files) {
    const blob = join(folder.blobs, file.digest.hex);
    const staged = join(stage, fileOfWeights(weights, file.path));
    // Two paths may be the same blob, and two models share files.
    if ((await sizeOnDisk(blob)) !== file.bytes) await putBlob(staged, blob);
    await linkFile(folder, commit, file);
  }
  for (const part of packedOf(bundled, model)) {
    const { source } = part;
    const key = "repo" in source ? questionOf(sourceAt(source, commit)) : planKey({ urls: source.urls });
    await storePlan(folder, { title, folderName, commit, key, files: filesOf(weights, part) });
    await keepPin(part, { commit, at: clock.now() }, data);
  }
}

/** On one disk, so in one step; the stage keeps its own, since another model of the bundle may need it too. */
async function putBlob(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(from, to).catch(() => cp(from, to));
}

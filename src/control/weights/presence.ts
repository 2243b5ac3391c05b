// Whether the weights of a model are on this machine, and how much of them. Looks at names and sizes only.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Model } from "../../engine/model.ts";
import { allVariants } from "../../engine/variants.ts";
import { snapshotFolder } from "./disk/in-place.ts";
import { folderNameOf, isCommit, repoFolder, weightsRoot } from "./disk/layout.ts";
import { missingFiles, sizeOnDisk } from "./disk/snapshot.ts";
import { bytesOnDisk } from "./disk/turn.ts";
import { filesBelow } from "./library.ts";
import { type Pin, pinOf, sourceAt } from "./pins.ts";
import { bytesOf, type PlannedFile, recallPlan } from "./plan/plan.ts";
import { knownCommit, questionOf } from "./plan/plan-hub.ts";
import { pathOf, placeOfUrls } from "./plan/plan-urls.ts";

export type Presence = {
  /** `built-in`: carried by the executable, or none are needed. */
  state: "built-in" | "complete" | "partial" | "absent";
  /** On disk. */
  bytes: number;
  /** Of all files. */
  wantedBytes: number;
  /** Where they are, or will be. */
  folder?: string;
  /** Which commit a branch or tag was taken to be. */
  pin?: Pin;
};

type Sourced = Pick<Model, "id" | "source">;
type Whereabouts = { model: Sourced; data: string; caches?: readonly string[] };
type AllWhereabouts = Omit<Whereabouts, "model"> & { variants: readonly Sourced[] };

/** The sources whose files can be fetched. */
export type FetchableSource = Extract<Model["source"], { repo: string } | { urls: unknown }>;

export type RepoSource = Extract<FetchableSource, { repo: string }>;

export const isFetchable = (source: Model["source"]): source is FetchableSource => "repo" in source || "urls" in source;

export const presenceOf = ({ model, ...where }: Whereabouts): Promise<Presence> =>
  presenceOfAll({ variants: [model], ...where });

/** Of all variants of a model that this box needs, as one: they lie in one place. */
export async function presenceOfAll({ variants, data, caches = [] }: AllWhereabouts): Promise<Presence> {
  const sources = variants.map(({ source }) => source);
  const path = sources.find((source) => "path" in source)?.path;
  if (path !== undefined) return ofFolder(path);
  const fetchable = fetchableOf(variants);
  if (fetchable.length === 0) return { state: "built-in", bytes: 0, wantedBytes: 0 };
  const { known, unknownBytes } = await wantedOfAll(fetchable, data);
  if (!known) return { state: "absent", bytes: 0, wantedBytes: unknownBytes };
  const { place, files, pin } = known;
  const settled = pin && { pin };
  const wantedBytes = bytesOf(files) + unknownBytes;
  const roots = [weightsRoot(data), ...caches];
  for (const root of unknownBytes === 0 ? roots : []) {
    const folder = snapshotFolder(root, place);
    if ((await missingFiles(folder, files)).length === 0)
      return { state: "complete", bytes: wantedBytes, wantedBytes, folder, ...settled };
  }
  const present = await Promise.all(files.map((file) => bytesOnDisk(weightsRoot(data), place, file)));
  const bytes = present.reduce((sum, each) => sum + each, 0);
  const folder = snapshotFolder(weightsRoot(data), place);
  return { state: bytes > 0 ? "partial" : "absent", bytes, wantedBytes, folder, ...settled };
}

type Fetchable = { id: string; source: FetchableSource };

/** The folder's name below a root and its commit; undefined while that is not known: before the first download. */
export async function placeOf(model: Model, data: string) {
  return (await wantedOfAll(fetchableOf(allVariants(model)), data)).known?.place;
}

export const fetchableOf = (variants: readonly Sourced[]): Fetchable[] =>
  variants.flatMap(({ id, source }) => (isFetchable(source) ? [{ id, source }] : []));

type Wanted = { place: { folderName: string; commit: string }; files: PlannedFile[]; pin?: Pin };

/** Of several variants of one model: the files of those that are known, and about how large the others are. */
export async function wantedOfAll(variants: readonly Fetchable[], data: string) {
  const each = await Promise.all(variants.map((variant) => wantedOf(variant, data)));
  const [first, ...others] = each.filter((wanted) => wanted !== undefined);
  const files = [first, ...others].flatMap((wanted) => wanted?.files ?? []);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const unknown = variants.filter((_, at) => each[at] === undefined);
  return {
    ...(first && { known: { ...first, files: [...byPath.values()] } }),
    unknownBytes: unknown.reduce((sum, { source }) => sum + ("bytes" in source ? source.bytes : 0), 0),
  };
}

/** All that belongs to a model, as far as it is known which commit that is. */
async function wantedOf({ id, source }: Fetchable, data: string): Promise<Wanted | undefined> {
  if ("urls" in source)
    return {
      place: placeOfUrls(source),
      files: source.urls.map((file) => plannedFile({ ...file, path: pathOf(file) })),
    };
  const folderName = folderNameOf(source.repo);
  const pin = await pinOf({ id, source }, data);
  const commit = pin?.commit ?? (await commitOf(source, data));
  if (commit === undefined) return undefined;
  const place = { folderName, commit };
  if ("files" in source && commit === source.revision) return { place, files: source.files.map(plannedFile) };
  const plan = await recallPlan(
    repoFolder(weightsRoot(data), folderName),
    commit,
    questionOf(sourceAt(source, commit)),
  );
  return plan && { place, files: plan.files, ...(pin && { pin }) };
}

/** Of a branch or tag: what it was when another model was fetched from there, which this one then goes by too. */
const commitOf = async ({ repo, revision }: RepoSource, data: string) =>
  isCommit(revision) ? revision : await knownCommit(repo, revision, [weightsRoot(data)]);

const plannedFile = ({ path, bytes, sha256 }: { path: string; bytes: number; sha256: string }): PlannedFile => ({
  ...{ path, bytes, digest: { algorithm: "sha256", hex: sha256 }, url: "" },
});

async function ofFolder(folder: string): Promise<Presence> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return { state: "absent", bytes: 0, wantedBytes: 0, folder };
  const sizes = await Promise.all((await filesBelow(folder)).map((path) => sizeOnDisk(join(folder, path))));
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return { state: "complete", bytes, wantedBytes: bytes, folder };
}

// Whether the weights of a model are on this machine, and how much of them. Looks at names and sizes only.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Model } from "../../engine/model.ts";
import {
  type FetchableSource,
  fetchablePartsOf,
  isFetchable,
  type Part,
  partsOf,
  type RepoSource,
  type Sourced,
} from "../../engine/sources.ts";
import { allVariants } from "../../engine/variants.ts";
import { snapshotFolder } from "./disk/in-place.ts";
import { folderNameOf, isCommit, repoFolder, weightsRoot } from "./disk/layout.ts";
import { missingFiles, sizeOnDisk } from "./disk/snapshot.ts";
import { togetherFolder } from "./disk/together.ts";
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
  /** Which commit a branch or tag was taken to be; of a model of several sources, that of its own. */
  pin?: Pin;
  /** Of each further source, by its folder; the numbers above are of all together. */
  beside?: Record<string, Presence>;
};

type Whereabouts = { model: Sourced; data: string; caches?: readonly string[] };
type AllWhereabouts = Omit<Whereabouts, "model"> & { variants: readonly Sourced[] };

export const presenceOf = ({ model, ...where }: Whereabouts): Promise<Presence> =>
  presenceOfAll({ variants: [model], ...where });

/** Of all variants of a model that this box needs, as one: they lie in one place. */
export async function presenceOfAll(where: AllWhereabouts): Promise<Presence> {
  const [own, ...beside] = await presenceOfParts(where);
  if (!own) return { state: "built-in", bytes: 0, wantedBytes: 0 };
  if (beside.length === 0) return own.presence;
  const all = [own, ...beside];
  const shelves = all.flatMap(({ folder, presence: { folder: at } }) => (at === undefined ? [] : [{ folder, at }]));
  return {
    state: stateOf(all.map(({ presence }) => presence)),
    bytes: all.reduce((sum, { presence }) => sum + presence.bytes, 0),
    wantedBytes: all.reduce((sum, { presence }) => sum + presence.wantedBytes, 0),
    ...(shelves.length === all.length && { folder: togetherFolder(weightsRoot(where.data), shelves) }),
    ...(own.presence.pin && { pin: own.presence.pin }),
    beside: Object.fromEntries(beside.map(({ folder, presence }) => [folder, presence])),
  };
}

function stateOf(parts: readonly Presence[]): Presence["state"] {
  const states = new Set(parts.map(({ state }) => state));
  states.delete("built-in");
  const [state = "built-in", ...others] = states;
  if (others.length === 0) return state;
  return parts.some(({ bytes }) => bytes > 0) ? "partial" : "absent";
}

/** Of each source by itself, its own first. */
const presenceOfParts = async ({ variants, ...where }: AllWhereabouts) =>
  await Promise.all(
    bySource(variants.flatMap(partsOf)).map(async (parts) => ({
      folder: parts[0].folder,
      presence: await presenceOfSource({ parts, ...where }),
    })),
  );

/** The parts of several variants that are of one source. */
function bySource<P extends { folder: string }>(parts: readonly P[]): [P, ...P[]][] {
  const groups = new Map<string, [P, ...P[]]>();
  for (const part of parts) {
    const group = groups.get(part.folder);
    if (group) group.push(part);
    else groups.set(part.folder, [part]);
  }
  return [...groups.values()];
}

type OfSource = { parts: readonly Part[]; data: string; caches?: readonly string[] };

/** Of the parts of several variants that are of one source. */
export async function presenceOfSource({ parts, data, caches = [] }: OfSource): Promise<Presence> {
  const path = parts.map(({ source }) => source).find((source) => "path" in source)?.path;
  if (path !== undefined) return ofFolder(path);
  const fetchable = parts.filter(isFetchable);
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

/** A folder's name below a root and its commit. */
export type Place = { folderName: string; commit: string };

/** Of a model's sources, those of which it is known where they lie; of a branch or tag it is not before the first download. */
export async function placesOf(model: Model, data: string): Promise<(Place & { folder: string })[]> {
  const parts = bySource(allVariants(model).flatMap(fetchablePartsOf));
  const known = parts.map(async (each) => {
    const place = (await wantedOfAll(each, data)).known?.place;
    return place && { folder: each[0].folder, ...place };
  });
  return (await Promise.all(known)).filter((place) => place !== undefined);
}

type Wanted = { place: Place; files: PlannedFile[]; pin?: Pin };

/** Of one source of several variants of a model: the files of those that are known, and about how large the others are. */
export async function wantedOfAll(variants: readonly Part<FetchableSource>[], data: string) {
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

/** All that belongs to a source, as far as it is known which commit that is. */
async function wantedOf(part: Part<FetchableSource>, data: string): Promise<Wanted | undefined> {
  const { source } = part;
  if ("urls" in source)
    return {
      place: placeOfUrls(source),
      files: source.urls.map((file) => plannedFile({ ...file, path: pathOf(file) })),
    };
  const folderName = folderNameOf(source.repo);
  const pin = await pinOf(part, data);
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

// Which weights are on this machine: listed from our folder and from Hugging Face caches, and removed from ours.
import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { tryFileLock } from "../database/file-lock.ts";
import { lockPath, type RepoFolder, repoFolder, repoOfFolder, weightsRoot } from "./disk/layout.ts";
import { missingFiles, sizeOnDisk } from "./disk/snapshot.ts";
import { spaceTaken } from "./disk/space.ts";
import { sweepTogether } from "./disk/together.ts";
import { bytesOnDisk } from "./disk/turn.ts";
import { bytesOf, type PlannedFile, recallAll } from "./plan/plan.ts";

export type StoredWeights = {
  /** `owner/name`, or the host of plain URLs. */
  title: string;
  commit: string;
  /** Branches and tags that were this commit when they were last asked for. */
  refs: string[];
  folder: string;
  /** Where it lies: our own weights folder or one of the caches. */
  root: string;
  folderName: string;
  /** `partial`: not all that was asked for is here. `found`: nobody told us what belongs to it (others' caches). */
  state: "complete" | "partial" | "found";
  /** On disk. */
  bytes: number;
  /** Of all files that were asked for. */
  wantedBytes: number;
  files: number;
};

/** Reads names and sizes only. Folders that do not exist hold nothing. */
export async function listWeights({ data, caches = [] }: { data: string; caches?: readonly string[] }) {
  const found: StoredWeights[] = [];
  for (const root of [weightsRoot(data), ...caches]) {
    for (const folderName of await namesIn(root)) {
      if (!/^(models|urls)--/.test(folderName)) continue;
      found.push(...(await commitsOf(root, folderName)));
    }
  }
  return found;
}

async function commitsOf(root: string, folderName: string): Promise<StoredWeights[]> {
  const folder = repoFolder(root, folderName);
  const names = [...(await namesIn(folder.snapshots)), ...(await namesIn(folder.plans))];
  const refs = await refsOf(folder);
  return Promise.all(
    [...new Set(names)].sort().map(async (commit) => {
      const plan = await recallAll(folder, commit);
      const place = { root, folderName, commit, folder: join(folder.snapshots, commit) };
      const common = {
        ...place,
        title: plan?.title ?? repoOfFolder(folderName),
        refs: refs.filter((ref) => ref.commit === commit).map(({ name }) => name),
      };
      return plan
        ? { ...common, ...(await measured(place, plan.files)) }
        : { ...common, ...(await walked(place.folder)) };
    }),
  );
}

async function measured({ root, folderName, folder }: StoredPlace, files: PlannedFile[]) {
  const missing = await missingFiles(folder, files);
  const present = await Promise.all(files.map((file) => bytesOnDisk(root, { folderName }, file)));
  const wantedBytes = bytesOf(files);
  const isHere = missing.length === 0;
  const bytes = isHere ? wantedBytes : present.reduce((sum, each) => sum + each, 0);
  return { state: isHere ? ("complete" as const) : ("partial" as const), bytes, wantedBytes, files: files.length };
}

type StoredPlace = Pick<StoredWeights, "root" | "folderName" | "folder">;

async function walked(folder: string) {
  const paths = await filesBelow(folder);
  const sizes = await Promise.all(paths.map((path) => sizeOnDisk(join(folder, path))));
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return { state: "found" as const, bytes, wantedBytes: bytes, files: paths.length };
}

/** Paths of files and links below a folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(nothing);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

async function refsOf({ refs }: RepoFolder) {
  const names = await filesBelow(refs);
  return Promise.all(names.map(async (name) => ({ name, commit: (await readFile(join(refs, name), "utf8")).trim() })));
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(nothing);

function nothing(error: unknown): never[] {
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
  throw error;
}

/**
 * Removes a commit and the blobs that no other one needs; returns the bytes that became free. Files that a runner has
 * open stay readable to it. Throws `unavailable` while they are being fetched, `bad_request` for others' caches.
 */
export async function removeWeights({ data, weights }: { data: string; weights: StoredWeights }): Promise<number> {
  const root = weightsRoot(data);
  if (weights.root !== root)
    throw new ForecourtError("bad_request", `${weights.folder} belongs to Hugging Face's tools; remove it with those.`);
  using lock = tryFileLock(lockPath(root, weights.folderName));
  if (!lock)
    throw new ForecourtError("unavailable", `${weights.title} is being fetched; stop that first.`, {
      details: { reason: "busy" },
    });
  const folder = repoFolder(root, weights.folderName);
  const outdated = (await refsOf(folder)).filter(({ commit }) => commit === weights.commit);
  for (const { name } of outdated) await rm(join(folder.refs, name));
  for (const parent of [folder.snapshots, folder.plans])
    await rm(join(parent, weights.commit), { recursive: true, force: true });
  await sweepTogether(root);
  return sweep(folder);
}

async function sweep(folder: RepoFolder): Promise<number> {
  const needed = await neededBlobs(folder);
  let freed = 0;
  for (const name of await namesIn(folder.blobs)) {
    if (needed.has(name.split(".")[0] ?? "")) continue;
    const path = join(folder.blobs, name);
    freed += await spaceTaken([path]);
    await rm(path);
  }
  if (needed.size === 0) await rm(folder.path, { recursive: true, force: true });
  return freed;
}

/** Linked by a snapshot, or asked for and not here yet. */
async function neededBlobs(folder: RepoFolder): Promise<Set<string>> {
  const links = await filesBelow(folder.snapshots);
  const targets = await Promise.all(links.map((path) => readlink(join(folder.snapshots, path))));
  const plans = await Promise.all((await namesIn(folder.plans)).map((commit) => recallAll(folder, commit)));
  const planned = plans.flatMap((plan) => plan?.files.map(({ digest }) => digest.hex) ?? []);
  return new Set([...targets.map((target) => basename(target)), ...planned]);
}

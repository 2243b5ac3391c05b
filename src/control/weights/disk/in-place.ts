// Weights that are on this machine already: our own snapshots, and Hugging Face caches read where they are.
import { link, mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { blobsOf, type Plan, type PlannedFile } from "../plan/plan.ts";
import type { Progress } from "../progress.ts";
import { repoFolder } from "./layout.ts";
import { missingFiles, sizeOnDisk } from "./snapshot.ts";
import type { Verifier } from "./verified.ts";

export const snapshotFolder = (root: string, { folderName, commit }: Pick<Plan, "folderName" | "commit">) =>
  join(repoFolder(root, folderName).snapshots, commit);

export const isComplete = async (folder: string, plan: Plan) => (await missingFiles(folder, plan.files)).length === 0;

type Search = { plan: Plan; caches: readonly string[]; verifier: Verifier; progress: Progress; signal: AbortSignal };

/** The first cache that has every wanted file with the right content; wrong ones are named in a notice. */
export async function findInCaches(search: Search): Promise<string | undefined> {
  for (const cache of search.caches) {
    const folder = snapshotFolder(cache, search.plan);
    if (!(await isComplete(folder, search.plan))) continue;
    if (await isAllRight(folder, search)) return folder;
  }
  return undefined;
}

async function isAllRight(folder: string, { plan, verifier, progress, signal }: Search): Promise<boolean> {
  try {
    for (const file of plan.files) {
      const onProgress = (at: number) => progress.file(file, "checking", at);
      if (await verifier.isRight(join(folder, file.path), file.digest, { signal, onProgress })) continue;
      progress.notice(`${join(folder, file.path)} does not have the content of ${plan.title}; it is not used.`);
      return false;
    }
    return true;
  } finally {
    await verifier.save();
  }
}

/** Takes single files of an incomplete cache by hard link: no copy, and they stay when that cache is cleared. */
export async function adoptBlobs(root: string, { plan, caches, verifier, progress, signal }: Search): Promise<void> {
  const { blobs } = repoFolder(root, plan.folderName);
  await mkdir(blobs, { recursive: true });
  for (const file of blobsOf(plan.files)) {
    const target = join(blobs, file.digest.hex);
    if ((await sizeOnDisk(target)) === file.bytes) continue;
    const found = await candidate(file, plan, caches);
    if (found === undefined) continue;
    const onProgress = (at: number) => progress.file(file, "checking", at);
    if (await verifier.isRight(found, file.digest, { signal, onProgress })) await tryLink(found, target);
  }
  await verifier.save();
}

async function candidate(file: PlannedFile, { folderName, commit }: Plan, caches: readonly string[]) {
  for (const cache of caches) {
    const { blobs, snapshots } = repoFolder(cache, folderName);
    for (const path of [join(blobs, file.digest.hex), join(snapshots, commit, file.path)])
      if ((await sizeOnDisk(path)) === file.bytes) return path;
  }
  return undefined;
}

/** Another file system, or another user's file: then it is fetched instead. */
async function tryLink(from: string, to: string): Promise<void> {
  try {
    await link(await realpath(from), to);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EACCES" && code !== "EEXIST") throw error;
  }
}

// A commit's folder: relative links into blobs/, as Hugging Face's tools make them and ONNX Runtime reads them.
import { mkdir, readlink, rename, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { PlannedFile } from "../plan/plan.ts";
import type { RepoFolder } from "./layout.ts";

/** Of the wanted files, those that are not there in full size. */
export async function missingFiles(snapshot: string, files: readonly PlannedFile[]): Promise<PlannedFile[]> {
  const sizes = await Promise.all(files.map(({ path }) => sizeOnDisk(join(snapshot, path))));
  return files.filter(({ bytes }, index) => sizes[index] !== bytes);
}

/** Links are followed; undefined if there is no such file. */
export const sizeOnDisk = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );

/** In one step: whoever looks sees the old link, none, or the whole file. */
export async function linkFile(folder: RepoFolder, commit: string, { path, digest }: PlannedFile): Promise<void> {
  const link = join(folder.snapshots, commit, path);
  const target = relative(dirname(link), join(folder.blobs, digest.hex));
  if ((await readlink(link).catch(() => undefined)) === target) return;
  await mkdir(dirname(link), { recursive: true });
  const fresh = `${link}.${process.pid}.new`;
  await symlink(target, fresh);
  await rename(fresh, link);
}

/** `ref` may hold slashes (`refs/pr/1`). */
export async function writeRef(folder: RepoFolder, ref: string, commit: string): Promise<void> {
  const path = join(folder.refs, ref);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, commit);
  await rename(`${path}.new`, path);
}

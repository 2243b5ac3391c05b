// Brings a planned snapshot to completion: room on the disk, the missing blobs, the links. The caller has the turn.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ForecourtError } from "../../core/errors.ts";
import { forEachAtOnce } from "../slots.ts";
import { repoFolder } from "./disk/layout.ts";
import { linkFile, sizeOnDisk, writeRef } from "./disk/snapshot.ts";
import { expectSpace, spaceTaken } from "./disk/space.ts";
import { type DownloadTools, download } from "./download.ts";
import { blobsOf, bytesOf, type Plan, type PlannedFile, storePlan } from "./plan/plan.ts";
import type { Progress } from "./progress.ts";
import { partFiles } from "./transfer/part.ts";

/** Small files side by side; a large one is cut into ranges anyway. */
const FILES_AT_ONCE = 4;

export type Fetching = {
  root: string;
  plan: Plan;
  /** Of other sources of the same model, which are fetched afterwards. */
  later: readonly Plan[];
  tools: DownloadTools;
  explain: (file: PlannedFile) => (response: Response) => Promise<ForecourtError>;
  progress: Progress;
  signal: AbortSignal;
  reserveBytes?: number;
};

/** Throws download.ts's errors; finished files stay for the next call. */
export async function fetchMissing(fetching: Fetching): Promise<void> {
  const { root, plan, later, progress, signal, reserveBytes } = fetching;
  const folder = repoFolder(root, plan.folderName);
  for (const path of [folder.blobs, folder.snapshots]) await mkdir(path, { recursive: true });
  await storePlan(folder, plan);
  const blobs = blobsOf(plan.files);
  const lacking = await Promise.all([plan, ...later].map((each) => spaceLacking(root, each)));
  await expectSpace(
    folder.blobs,
    lacking.reduce((sum, each) => sum + each, 0),
    reserveBytes,
  );
  await forEachAtOnce(blobs, { limit: FILES_AT_ONCE, signal }, (file, stop) => fetchBlob(file, fetching, stop));
  for (const file of plan.files) {
    await linkFile(folder, plan.commit, file);
    progress.file(file, "done", file.bytes);
  }
  if (plan.ref !== undefined) await writeRef(folder, plan.ref, plan.commit);
}

async function spaceLacking(root: string, plan: Plan): Promise<number> {
  const { blobs } = repoFolder(root, plan.folderName);
  const files = blobsOf(plan.files);
  const begun = files.flatMap(({ digest: { hex } }) => [join(blobs, hex), partFiles(join(blobs, hex)).data]);
  return Math.max(0, bytesOf(files) - (await spaceTaken(begun)));
}

async function fetchBlob(file: PlannedFile, { root, plan, tools, explain, progress }: Fetching, signal: AbortSignal) {
  const to = join(repoFolder(root, plan.folderName).blobs, file.digest.hex);
  if ((await sizeOnDisk(to)) === file.bytes) return;
  await download(
    {
      name: `${plan.title}: ${file.path}`,
      url: file.url,
      bytes: file.bytes,
      digest: file.digest,
      to,
      explain: explain(file),
      signal,
      onProgress: ({ at, stage }) => progress.file(file, stage === "hashing" ? "checking" : "downloading", at),
      onNotice: progress.notice,
    },
    tools,
  );
  progress.file(file, "done", file.bytes);
}

// One process at a time changes a repository's folder; the others wait and watch how far it is.
import { join } from "node:path";
import type { Timers } from "../../../core/clock.ts";
import { wait } from "../../../core/wait.ts";
import { tryFileLock } from "../../database/file-lock.ts";
import type { Plan, PlannedFile } from "../plan/plan.ts";
import type { Progress } from "../progress.ts";
import { readJournal } from "../transfer/journal.ts";
import { partFiles } from "../transfer/part.ts";
import { doneBytes } from "../transfer/pieces.ts";
import { digestText } from "./digest.ts";
import { lockPath, repoFolder } from "./layout.ts";
import { sizeOnDisk } from "./snapshot.ts";

const LOOK_EVERY_MS = 250;

type Turn = { root: string; plan: Plan; progress: Progress; timers: Timers; signal: AbortSignal };

/** Resolves when nobody else works on the plan's repository, in this process or another; dispose to let the next in. */
export async function takeTurn({ root, plan, progress, timers, signal }: Turn): Promise<Disposable> {
  for (let looks = 0; ; looks++) {
    const lock = tryFileLock(lockPath(root, plan.folderName));
    if (lock) return lock;
    if (looks === 0) progress.notice(`${plan.title} is being fetched already; waiting for that.`);
    for (const file of plan.files) progress.file(file, "waiting", await bytesOnDisk(root, plan, file));
    await wait(LOOK_EVERY_MS, { timers, signal });
  }
}

/** Of one planned file, finished or not. */
export async function bytesOnDisk(root: string, plan: Pick<Plan, "folderName">, file: PlannedFile): Promise<number> {
  const blob = join(repoFolder(root, plan.folderName).blobs, file.digest.hex);
  if ((await sizeOnDisk(blob)) === file.bytes) return file.bytes;
  const pieces = await readJournal(partFiles(blob).journal, { bytes: file.bytes, digest: digestText(file.digest) });
  return doneBytes(pieces ?? []);
}

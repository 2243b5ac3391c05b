// Is there room on the disk, and how a full one is told.
import { stat, statfs } from "node:fs/promises";
import { ForecourtError } from "../../../core/errors.ts";
import { isDiskFull } from "../../disk-full.ts";

/** The database and the outputs of running jobs lie on the same disk. */
const RESERVE_BYTES = 512 * 1024 * 1024;

/** Throws `weights_missing` if `folder`'s disk cannot take that much and keep a reserve. */
export async function expectSpace(folder: string, needed: number, reserve = RESERVE_BYTES): Promise<void> {
  if (needed === 0) return;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free - reserve >= needed) return;
  throw fullDisk(
    `The weights need ${gigabytes(needed)} more below ${folder}, but only ${gigabytes(free)} are free (${gigabytes(reserve)} are kept in reserve). Free some space or give another --data.`,
    { needed, free },
  );
}

/** What files take on the disk, holes not counted; none for those that do not exist. */
export async function spaceTaken(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map((path) => stat(path).then(({ blocks }) => blocks * BLOCK_BYTES, noFile)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** POSIX: `st_blocks` counts in these, whatever the file system's own are. */
const BLOCK_BYTES = 512;

function noFile(error: unknown): number {
  if (codeOf(error) === "ENOENT") return 0;
  throw error;
}

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : undefined);

/** The plain words for a disk that became full; undefined for other errors. */
export function noSpace(error: unknown, name: string): ForecourtError | undefined {
  if (!isDiskFull(error)) return undefined;
  const message = `The disk became full while ${name} was written. What arrived is kept: free some space and try again.`;
  return fullDisk(message, { cause: error });
}

const fullDisk = (message: string, { cause, ...facts }: { cause?: unknown; needed?: number; free?: number }) =>
  new ForecourtError("weights_missing", message, { details: { reason: "disk_full", ...facts }, cause });

const gigabytes = (bytes: number) => (bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

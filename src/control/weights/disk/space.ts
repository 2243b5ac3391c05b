// Is there room on the disk, and how a full one is told.
import { statfs } from "node:fs/promises";
import { ForecourtError } from "../../../core/errors.ts";

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

/** The plain words for ENOSPC or EDQUOT; undefined for other errors. */
export function noSpace(error: unknown, name: string): ForecourtError | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") return undefined;
  return fullDisk(
    `The disk became full while ${name} was written. What arrived is kept: free some space and try again.`,
    {
      cause: error,
    },
  );
}

const fullDisk = (message: string, { cause, ...facts }: { cause?: unknown; needed?: number; free?: number }) =>
  new ForecourtError("weights_missing", message, { details: { reason: "disk_full", ...facts }, cause });

const gigabytes = (bytes: number) => (bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

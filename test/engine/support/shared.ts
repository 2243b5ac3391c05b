// Large reference data that is not part of the repository: beside it, or where FORECOURT_SHARED says.
import { existsSync } from "node:fs";
import { join } from "node:path";

const SHARED = process.env.FORECOURT_SHARED ?? join(import.meta.dir, "../../../../shared");

/** The file's path, or undefined on machines that do not have it: such tests are skipped and say so. */
export function sharedFile(path: string): string | undefined {
  const full = join(SHARED, path);
  return existsSync(full) ? full : undefined;
}

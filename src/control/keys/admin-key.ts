// The first key of a box: made at the first start and left in <data>/admin.key for its operator.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Keys } from "./keys.ts";

export const adminKeyFile = (data: string) => join(data, "admin.key");

/**
 * Makes an admin key when the database never had one; a file that its operator removed stays removed.
 * Returns the file if it was made now. The file (mode 0600) is complete or absent, never half-written.
 */
export function ensureAdminKey({ keys, data }: { keys: Keys; data: string }): string | undefined {
  if (keys.has("admin")) return undefined;
  const file = adminKeyFile(data);
  const { secret } = keys.create({ name: "admin", scope: "admin" });
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

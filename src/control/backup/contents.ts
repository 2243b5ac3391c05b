// What of a data directory is worth keeping: all but what can be fetched or unpacked again.
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const DATABASE = "forecourt.sqlite";
export const MANIFEST = "manifest.json";

/** Keys and secrets, settings, the operator's model files. Weights and native libraries are not among them. */
const ALWAYS = ["admin.key", "client.key", "token.secret", "webhook.key", "appliance.yaml", "tls", "models"];
/** Outputs of jobs and what callers uploaded: as large as the disk. */
const FILES = ["files", "uploads"];

export const isKnown = (name: string) =>
  name === DATABASE || [...ALWAYS, ...FILES].some((each) => name === each || name.startsWith(`${each}/`));

/** Paths relative to `data` of the plain files that belong into a backup, the database not among them. */
export function contentsOf(data: string, { withFiles }: { withFiles: boolean }): string[] {
  return [...ALWAYS, ...(withFiles ? FILES : [])].flatMap((name) => plainFiles(data, name));
}

function plainFiles(data: string, name: string): string[] {
  const path = join(data, name);
  if (!existsSync(path)) return [];
  const found = lstatSync(path);
  if (found.isFile()) return [name];
  if (!found.isDirectory()) return [];
  return readdirSync(path)
    .sort()
    .flatMap((inner) => plainFiles(data, join(name, inner)));
}

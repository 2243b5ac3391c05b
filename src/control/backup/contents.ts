// What of a data directory is worth keeping: all but what can be fetched or unpacked again.
import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const DATABASE = "forecourt.sqlite";
export const MANIFEST = "manifest.json";

/** Keys and secrets, settings, the operator's model files. Weights and native libraries are not among them. */
const ALWAYS = ["admin.key", "client.key", "token.secret", "webhook.key", "appliance.yaml", "tls", "models"];
/** Outputs of jobs and what callers uploaded: as large as the disk. */
const FILES = ["files", "uploads"];

export const isKnown = (name: string) =>
  name === DATABASE || [...ALWAYS, ...FILES].some((each) => name === each || name.startsWith(`${each}/`));

/**
 * Paths relative to `data` of the files that belong into a backup, the database not among them. Each of these places may
 * be a link, and the operator's files too; a link among the files of jobs is given to nobody, and so not kept either.
 */
export function contentsOf(data: string, { withFiles }: { withFiles: boolean }): string[] {
  const operators = ALWAYS.flatMap((name) => filesAt(data, name, statSync));
  return withFiles ? [...operators, ...FILES.flatMap((name) => filesAt(data, name, lstatSync))] : operators;
}

type Look = typeof statSync | typeof lstatSync;

function filesAt(data: string, name: string, look: Look): string[] {
  const found = statSync(join(data, name), { throwIfNoEntry: false });
  if (found?.isFile()) return [name];
  return found?.isDirectory() ? filesBelow(data, name, look) : [];
}

function filesBelow(data: string, folder: string, look: Look): string[] {
  const entries = readdirSync(join(data, folder), { withFileTypes: true });
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(data, name, look);
      return look(join(data, name), { throwIfNoEntry: false })?.isFile() ? [name] : [];
    });
}

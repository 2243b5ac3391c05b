// Which of a vendor's libraries are installed in the data directory.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { dependencies } from "../../../package.json" with { type: "json" };

/** The libraries are those for this onnxruntime: another one looks for its own. */
export const ONNXRUNTIME = dependencies["onnxruntime-node"];

/** A folder gets its name only when it is complete. */
export const cudaFolder = (data: string): string => join(data, "runtime", `cuda-${ONNXRUNTIME}`);

/** Undefined when `forecourt runtime install cuda` was not run for this version. */
export function installedCuda(data: string): string | undefined {
  const folder = cudaFolder(data);
  return existsSync(folder) ? folder : undefined;
}

/** What `installed.json` says in the folder of an installed runtime. */
export type RuntimeNote = { onnxruntime: string; packages: string[]; libraries: string[] };

export type InstalledRuntime = { name: string; folder: string; isUsed: boolean; bytes: number } & RuntimeNote;

/** Also those of other versions, which nothing uses any more. */
export function listRuntimes(data: string): InstalledRuntime[] {
  const root = join(data, "runtime");
  const names = existsSync(root) ? readdirSync(root).filter((name) => name.startsWith("cuda-")) : [];
  return names.map((name) => {
    const folder = join(root, name);
    const note = JSON.parse(readFileSync(join(folder, "installed.json"), "utf8")) as RuntimeNote; // by install-cuda.ts
    const bytes = note.libraries.reduce((sum, each) => sum + statSync(join(folder, each)).size, 0);
    return { name, folder, isUsed: folder === cudaFolder(data), bytes, ...note };
  });
}

/** All versions of it; false when there was none. Runners that use them keep their files until they end. */
export function removeRuntimes(data: string): boolean {
  const installed = listRuntimes(data);
  for (const { folder } of installed) {
    // Out of sight first: a half removed folder must not pass for an installed one.
    const aside = join(data, "runtime", `.removed-${process.pid}`);
    renameSync(folder, aside);
    rmSync(aside, { recursive: true, force: true });
  }
  return installed.length > 0;
}

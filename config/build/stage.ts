// Gathers the files that become part of the executable in one folder, with the manifest that src/engine/embedded reads.
import { createHash } from "node:crypto";
import { copyFileSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { EmbeddedFolder } from "../../src/engine/embedded/embedded.ts";
import type { FileSet } from "./natives.ts";

/** `stage` is emptied first. Folder names may contain slashes. */
export function stageFolders(stage: string, folders: Record<string, FileSet>): EmbeddedFolder[] {
  rmSync(stage, { recursive: true, force: true });
  const manifest = Object.entries(folders).map(([name, files]) => stageFolder(stage, { name, files }));
  mkdirSync(stage, { recursive: true });
  writeFileSync(join(stage, "manifest.json"), JSON.stringify(manifest));
  return manifest;
}

function stageFolder(stage: string, { name, files }: { name: string; files: FileSet }): EmbeddedFolder {
  const hash = createHash("sha256");
  const listed = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, from]) => {
      const content = readFileSync(from);
      hash.update(`${path}\0${content.byteLength}\0`).update(content);
      place(from, join(stage, name, path));
      return { path, size: content.byteLength };
    });
  return { name, hash: hash.digest("hex").slice(0, 16), files: listed };
}

/** A hard link where the file system allows one: the libraries and weights are large. */
function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

// What the compiled executable carries beside its code: folders of files, listed in a manifest that the build wrote.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type EmbeddedFile = {
  /** Relative to the folder, with forward slashes. */
  path: string;
  /** Size in bytes. */
  size: number;
};

export type EmbeddedFolder = {
  name: string;
  /** 16 hex digits over every path and content: another content has another hash. */
  hash: string;
  files: EmbeddedFile[];
};

/** The build puts this folder into the executable, where its files are read like any others. */
const EMBEDDED = join(import.meta.dir, "embedded");

/** Undefined when the executable carries no such folder, and always when running from source. */
export function embeddedFolder(name: string): EmbeddedFolder | undefined {
  if (!Bun.isStandaloneExecutable) return undefined;
  // Written by this program's own build (config/build/stage.ts) in exactly this shape.
  const folders = JSON.parse(readFileSync(join(EMBEDDED, "manifest.json"), "utf8")) as EmbeddedFolder[];
  return folders.find((folder) => folder.name === name);
}

/** Where the files of an embedded folder can be read (not mapped, nor opened by native code). */
export const embeddedPath = ({ name }: EmbeddedFolder) => join(EMBEDDED, name);

// Files below a folder of this box's disk.
import { copyFile, link, lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { bytes, instant } from "../../core/units.ts";
import type { FileStore } from "./file-store.ts";

export type DiskStore = FileStore & {
  pathOf(name: string): string;
  /** The file, or all below a folder. Of what is not there nothing is said. */
  remove(name: string): Promise<void>;
};

export function createDiskStore({ root }: { root: string }): DiskStore {
  const pathOf = (name: string) => join(root, name);
  const find = async (name: string) => {
    const found = await lstat(pathOf(name)).catch(absent);
    return found?.isFile() ? { size: bytes(found.size), modifiedAt: instant(Math.floor(found.mtimeMs)) } : undefined;
  };
  return {
    place: root,
    pathOf,
    find,
    async put(name, path) {
      await mkdir(dirname(pathOf(name)), { recursive: true, mode: 0o700 });
      await rename(path, pathOf(name));
    },
    async read(name, range) {
      if ((await find(name)) === undefined) throw gone();
      const file = Bun.file(pathOf(name));
      return range ? file.slice(range.start, range.end) : file;
    },
    async take(name, to) {
      await rm(to, { force: true });
      try {
        await link(pathOf(name), to);
      } catch (error) {
        if (absent(error) === undefined && (await find(name)) === undefined) throw gone();
        await copyFile(pathOf(name), to); // another file system, or one without links
      }
    },
    remove: async (name) => await rm(pathOf(name), { recursive: true, force: true }),
  };
}

export const gone = (cause?: unknown) =>
  new ForecourtError("not_found", "There is no such file, or it has expired.", { cause });

function absent(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EXDEV" && code !== "EPERM") throw error;
}

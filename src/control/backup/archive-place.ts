// Where an archive is to be written: beside its place first, and in its place once it is whole.
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { BLOCK, readTarHeader } from "./tar-header.ts";

export type ArchivePlace = { target: string; draft: string };

/**
 * An archive that is there may be replaced, and an empty file. Throws `bad_request` for whatever else is there, before
 * any work: a device, a folder, the box's own database; and where there is no folder for it.
 */
export function archivePlace(to: string): ArchivePlace {
  const target = resolve(to);
  const folder = dirname(target);
  if (!existsSync(folder))
    throw new ForecourtError("bad_request", `There is no folder ${folder}. Make it, or name another file.`);
  const found = statSync(target, { throwIfNoEntry: false });
  if (found && !found.isFile()) throw refused(target, "no plain file");
  if (found && found.size > 0 && !isArchive(target)) throw refused(target, "no archive, and would be lost");
  return { target, draft: `${target}.draft-${process.pid}` };
}

function isArchive(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(BLOCK);
    return readSync(file, header) === BLOCK && readTarHeader(header) !== undefined;
  } catch {
    return false; // not of ours
  } finally {
    closeSync(file);
  }
}

const refused = (path: string, what: string) =>
  new ForecourtError("bad_request", `${path} is there already and is ${what}. Name another file.`);

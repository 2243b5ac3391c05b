// Puts a backup into a data directory: looked through to its last byte first, the database last and at once.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { MANIFEST as BUNDLE } from "../bundle/bundle.ts";
import { lockData } from "../database/lock.ts";
import { examineDatabase, newestSchema } from "../database/snapshot.ts";
import type { Manifest } from "./backup.ts";
import { DATABASE, isKnown, MANIFEST } from "./contents.ts";
import { giveToOwner, keptFolder, putDatabaseInPlace, putInPlace } from "./put-in-place.ts";
import { newStage } from "./stage.ts";
import { type Packed, unpack } from "./tar.ts";
import { damaged, otherArchive } from "./tar-header.ts";

export type Restored = {
  manifest: Manifest;
  /** Folder with what was replaced, if anything was. */
  kept?: string;
};

/**
 * Throws `unavailable` while a server runs there and when the disk becomes full, `misconfigured` for a backup of a newer
 * version, `bad_request` for one that is damaged; nothing is changed then. Interrupted, it can be run again.
 */
export async function restore({ data, from, now }: { data: string; from: string; now: Date }): Promise<Restored> {
  if (!existsSync(from)) throw new ForecourtError("not_found", `There is no file ${from}.`);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  using lock = lockData(data);
  void lock;
  const stage = await newStage(data, "restoring");
  try {
    const files = await unpack(from, stage);
    const manifest = checked(files, stage);
    const kept = keptFolder(data, "restore", now);
    for (const { name } of manifest.files) if (name !== DATABASE) putInPlace(name, { stage, data, kept });
    giveToOwner(
      manifest.files.map(({ name }) => name),
      { stage, data },
    );
    putDatabaseInPlace({ stage, data, kept });
    return { manifest, ...(existsSync(kept) && { kept }) };
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

function checked(files: Packed[], stage: string): Manifest {
  if (files.some(({ name }) => name === BUNDLE))
    throw otherArchive("a bundle of models; `forecourt models import` takes it");
  if (!files.some(({ name }) => name === MANIFEST)) throw damaged("it has no manifest, so it was cut short");
  const manifest = readManifest(join(stage, MANIFEST));
  const found = new Map(files.map((file) => [file.name, file]));
  found.delete(MANIFEST);
  for (const { name, size, sha256 } of manifest.files) {
    const file = found.get(name);
    if (file?.size !== size || file.sha256 !== sha256) throw damaged(`${name} is not as it was packed`);
    if (!isKnown(name)) throw damaged(`it holds ${name}, which no backup has`);
    found.delete(name);
  }
  if (found.size > 0) throw damaged(`it holds ${[...found.keys()][0]}, which its manifest does not know`);
  const { schema } = examineDatabase(join(stage, DATABASE));
  if (schema > newestSchema()) throw tooNew({ schema, version: manifest.version });
  return manifest;
}

function readManifest(path: string): Manifest {
  try {
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest; // its format is checked next
    if (manifest.format === "forecourt-backup-1" && Array.isArray(manifest.files)) return manifest;
  } catch (cause) {
    throw damaged("its manifest cannot be read", cause);
  }
  throw damaged("its manifest has another format");
}

const tooNew = ({ schema, version }: { schema: number; version: string }) =>
  new ForecourtError(
    "misconfigured",
    `This backup was made by Forecourt ${version} (schema ${schema}), and this version knows schema ${newestSchema()}. Upgrade first. Nothing was changed.`,
  );

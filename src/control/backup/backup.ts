// One file that holds a box: its database as of one moment, keys, settings, models and, if wanted, all files.
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { examineDatabase, snapshotOf } from "../database/snapshot.ts";
import { archivePlace } from "./archive-place.ts";
import { contentsOf, DATABASE, MANIFEST } from "./contents.ts";
import { type Packed, packEnd, packFile, packText } from "./tar.ts";

/** The last file of the archive: an archive that was cut short has none. */
export type Manifest = {
  format: "forecourt-backup-1";
  version: string;
  madeAt: string;
  schema: number;
  withFiles: boolean;
  files: Packed[];
};

export type BackupOrder = { data: string; to: string; withFiles: boolean; version: string; now: Date };

/**
 * The server may run meanwhile and is not slowed down: the database comes first, and a finished job's files are on disk
 * before its row says so. `to` (mode 0600) is complete or absent. Throws `not_found` where there is no database,
 * `bad_request` where something other than an archive is in its place, and `unavailable` for a disk that is full or a
 * place that cannot be written.
 */
export async function backup(order: BackupOrder): Promise<Manifest> {
  const { target, draft } = archivePlace(order.to);
  const copy = `${target}.database-${process.pid}`;
  try {
    snapshotDatabase(order.data, copy);
    const manifest = await pack(order, { draft, copy });
    await rename(draft, target);
    await using folder = await open(dirname(target), "r");
    await folder.sync();
    return manifest;
  } catch (error) {
    if (error instanceof ForecourtError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ForecourtError("unavailable", `The backup could not be written: ${reason}.`, { cause: error });
  } finally {
    await Promise.all([draft, copy, `${copy}-wal`, `${copy}-shm`].map((path) => rm(path, { force: true })));
  }
}

function snapshotDatabase(data: string, copy: string): void {
  const file = join(data, DATABASE);
  try {
    snapshotOf(file, copy);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const way = "Name the data directory with --data, and a place with room for the backup.";
    throw new ForecourtError("unavailable", `The database ${file} could not be copied: ${reason}. ${way}`, { cause });
  }
}

async function pack(order: BackupOrder, { draft, copy }: { draft: string; copy: string }): Promise<Manifest> {
  const { data, withFiles, version, now } = order;
  const { schema } = examineDatabase(copy);
  await using archive = await open(draft, "wx", 0o600);
  const files = [await packFile(archive, { name: DATABASE, path: copy })];
  for (const name of contentsOf(data, { withFiles })) {
    const packed = await packUnlessGone(archive, { name, path: join(data, name) });
    if (packed) files.push(packed);
  }
  const manifest = {
    format: "forecourt-backup-1",
    version,
    madeAt: now.toISOString(),
    schema,
    withFiles,
    files,
  } as const;
  await packText(archive, { name: MANIFEST, text: `${JSON.stringify(manifest, null, 1)}\n` });
  await packEnd(archive);
  await archive.sync();
  return { ...manifest, files };
}

/** A file may expire between its listing and its turn; then its job's row is about to go too. */
async function packUnlessGone(...[archive, file]: Parameters<typeof packFile>): Promise<Packed | undefined> {
  try {
    return await packFile(archive, file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

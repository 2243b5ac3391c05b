// Back to the version before the last update: its executable and, where the newer one changed the database's schema, the copy from before.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { DATABASE } from "../backup/contents.ts";
import { giveToOwner, keptFolder, putDatabaseInPlace } from "../backup/put-in-place.ts";
import { newStage } from "../backup/stage.ts";
import { type Added, compareDatabases } from "../database/compare.ts";
import { snapshotFile } from "../database/migrate.ts";
import { databaseFile } from "../database/open.ts";
import { examineDatabase } from "../database/snapshot.ts";
import { SECURING_COLUMNS } from "../keys/keys.table.ts";
import { prepareSwitch, type Releases } from "./releases.ts";

export type Rollback = {
  /** The database from before the update; absent where the older version reads the one that is there. */
  database?: {
    copy: string;
    madeAt: Date;
    /** Rows that are in the database now and not in the copy. */
    lost: Added[];
    /** Names of keys that were revoked, rotated or restricted since: they are again as they were. */
    keysAsBefore: string[];
  };
};

/** `known`: the newest schema of the older version. Changes nothing; throws `misconfigured` where it could read neither the database nor a copy. */
export function planRollback({ data, known }: { data: string; known: number }): Rollback {
  const file = databaseFile(data);
  if (!existsSync(file)) return {};
  const { schema } = examineDatabase(file);
  if (schema <= known) return {};
  const copy = newestCopy(file, known);
  if (copy === undefined) throw noCopy(file, { schema, known });
  examineDatabase(copy);
  const { added, changed } = compareDatabases({ file, copy }, SECURING_COLUMNS);
  return { database: { copy, madeAt: statSync(copy).mtime, lost: added, keysAsBefore: changed } };
}

/** For whoever holds the lock of `data`. Interrupted, it can be run again: the executable changes last. Returns the folder with the database as it was. */
export async function carryOut(
  { database }: Rollback,
  { data, releases, now }: { data: string; releases: Releases; now: Date },
): Promise<string | undefined> {
  using change = prepareSwitch(releases);
  const kept = database && (await bringBack(database.copy, { data, now }));
  change.make();
  return kept;
}

async function bringBack(copy: string, { data, now }: { data: string; now: Date }): Promise<string> {
  const stage = await newStage(data, "rolling-back");
  try {
    mkdirSync(stage, { mode: 0o700 });
    copyFileSync(copy, join(stage, DATABASE));
    const kept = keptFolder(data, "rollback", now);
    giveToOwner([], { stage, data });
    putDatabaseInPlace({ stage, data, kept });
    return kept;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** An older version that never ran on it may know more schemas than the database had. */
function newestCopy(file: string, known: number): string | undefined {
  const names = new Set(readdirSync(dirname(file)));
  for (let schema = known; schema > 0; schema--)
    if (names.has(basename(snapshotFile(file, schema)))) return snapshotFile(file, schema);
  return undefined;
}

const noCopy = (file: string, { schema, known }: { schema: number; known: number }) =>
  new ForecourtError(
    "misconfigured",
    `The older version cannot read ${file} (schema ${schema}, it knows ${known}), and the copy from before the update, ${snapshotFile(file, known)}, is gone. Stay, or go back and restore a backup from before. Nothing was changed.`,
  );

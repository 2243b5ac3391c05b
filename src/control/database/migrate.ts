// Brings a database to this version's schema: each file in one exclusive transaction, after a snapshot of what was there.
import type { Database as Sqlite } from "bun:sqlite";
import { existsSync, rmSync, statSync } from "node:fs";
import { ForecourtError } from "../../core/errors.ts";
import type { Migration } from "./migrations.macro.ts";
import { snapshotInto } from "./snapshot.ts";

/** Throws `misconfigured` when the database is newer than `migrations`; a failed file leaves the database as it was. */
export function migrate(sqlite: Sqlite, migrations: Migration[], file: string): void {
  const before = versionOf(sqlite);
  const newest = newestOf(migrations);
  if (before > newest) throw tooNew(file, { found: before, known: newest });
  if (before === newest) return;
  if (before > 0 && file !== ":memory:") keepCopy(sqlite, { file, before });
  for (const migration of migrations) apply(sqlite, migration, file);
}

export const newestOf = (migrations: readonly Migration[]) => migrations.at(-1)?.version ?? 0;

/** The copy made before leaving `version`; kept until the operator removes it. */
export const snapshotFile = (file: string, version: number) => `${file}.before-${version + 1}`;

function versionOf(sqlite: Sqlite): number {
  const row = sqlite.query<{ user_version: number }, []>("PRAGMA user_version").get();
  return row?.user_version ?? 0;
}

/** No copy, no migration: what cannot be undone is not begun. */
function keepCopy(sqlite: Sqlite, { file, before }: { file: string; before: number }): void {
  const copy = snapshotFile(file, before);
  try {
    snapshotInto(sqlite, copy);
  } catch (cause) {
    if (statSync(copy, { throwIfNoEntry: false })?.isFile()) rmSync(copy);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${file} was not migrated, because the copy ${copy} of it could not be written: ${reason}. Free some space and start again.`;
    throw new ForecourtError("misconfigured", message, { cause });
  }
}

/** Another process may have migrated meanwhile: the version is read again inside the transaction. */
function apply(sqlite: Sqlite, { version, name, sql }: Migration, file: string): void {
  const run = sqlite.transaction(() => {
    if (versionOf(sqlite) >= version) return;
    sqlite.run(sql);
    sqlite.run(`PRAGMA user_version = ${version}`);
  });
  try {
    run.exclusive();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ForecourtError("misconfigured", `Migration ${name} of ${file} failed: ${reason}. Nothing was changed.`, {
      cause: error,
    });
  }
}

/** With the way back: the copy that was made before this version's schema was left. */
export function tooNew(file: string, { found, known }: { found: number; known: number }): ForecourtError {
  const copy = snapshotFile(file, known);
  const way = existsSync(copy)
    ? `Upgrade; or, to go back to what was there before the newer one, move ${copy} to ${file} and remove ${file}-wal and ${file}-shm`
    : "Upgrade, or restore a backup";
  const what = `${file} was written by a newer Forecourt (schema ${found}, this version knows ${known})`;
  return new ForecourtError("misconfigured", `${what}. ${way}.`);
}

// A copy of a database as it is at one moment, made while others read and write it.
import { Database as Sqlite } from "bun:sqlite";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { ForecourtError } from "../../core/errors.ts";
import { migrationFiles } from "./migrations.macro.ts" with { type: "macro" };
import { MAY_SHRINK } from "./shrink.ts";

/** Writes `copy` (mode 0600), replacing what is there. Writers are not held up: SQLite reads one state of the log. */
export function snapshotInto(sqlite: Sqlite, copy: string): void {
  rmSync(copy, { force: true });
  sqlite.query("VACUUM INTO ?").run(copy);
  chmodSync(copy, 0o600);
}

/** The same for a file that is not opened here; its schema stays as it is, and what an old one never gave back is not in it. Throws `misconfigured` when it is damaged. */
export function snapshotOf(file: string, copy: string): void {
  using sqlite = new Sqlite(file, { readwrite: true, create: false, strict: true });
  sqlite.run("PRAGMA busy_timeout = 5000");
  // Of the copy alone: one that was made before that does not become of this kind where it lies.
  sqlite.run(MAY_SHRINK);
  snapshotInto(sqlite, copy);
}

/** The newest schema that this version knows. */
export const newestSchema = (): number => migrationFiles().at(-1)?.version ?? 0;

/** Its schema's version. Throws `misconfigured` for a file that is no sound database. */
export function examineDatabase(file: string): { schema: number } {
  try {
    using sqlite = new Sqlite(file, { readonly: true, strict: true });
    const [verdict] = sqlite.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").all();
    if (verdict?.quick_check !== "ok") throw new Error(verdict?.quick_check ?? "no answer");
    const row = sqlite.query<{ user_version: number }, []>("PRAGMA user_version").get();
    return { schema: row?.user_version ?? 0 };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ForecourtError("misconfigured", `The database ${file} is damaged: ${reason}.`, { cause });
  }
}

/** Brings what is in the log into the file, so that the file alone is the database. False when that cannot be done. */
export function settleLog(file: string): boolean {
  if (!existsSync(file)) return true;
  try {
    using sqlite = new Sqlite(file, { readwrite: true, create: false, strict: true });
    sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  } catch {
    return false; // it is damaged: its log is kept beside it
  }
}

// The one SQLite database of a data directory: opened, migrated, set up for durability. Knows no tables.
import { Database as Sqlite } from "bun:sqlite";
import { chmodSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { ForecourtError } from "../../core/errors.ts";
import { createChanges } from "./changes.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { migrate, newestOf, tooNew } from "./migrate.ts";
import { migrationFiles } from "./migrations.macro.ts" with { type: "macro" };
import type { Migration } from "./migrations.macro.ts";
import { createShrink, MAY_SHRINK } from "./shrink.ts";
import { createWalSync, noSync } from "./wal-sync.ts";

export type Database = GroupCommit & {
  /** Tables and queries. Changes go through `write`. */
  orm: BunSQLiteDatabase;
  sqlite: Sqlite;
  /** See changes.ts. */
  changes(): number;
  /** See shrink.ts. */
  shrink(): boolean;
  /** Writes what is open, then closes. */
  [Symbol.dispose](): void;
};

/** Longest wait, in milliseconds, for another process's write (a `keys` command beside the server). */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Pages (4 KiB) of the log at which it is copied into the database, which blocks for some milliseconds. With SQLite's
 * default of 1000 that is several times a second at 1000 jobs/s, and felt by more than one request in a hundred.
 */
const CHECKPOINT_PAGES = 8_000;

/** The log grows beyond that while somebody reads one state of the database for long, as backups do; then it comes down to this. */
const LOG_BYTES = 64 * 1024 * 1024;

export const databaseFile = (data: string) => join(data, "forecourt.sqlite");

const EMBEDDED = migrationFiles();

/** Why a file of this schema would be refused; undefined for one that is opened, or migrated first. */
export const refusalOf = (file: string, schema: number): string | undefined => {
  const known = newestOf(EMBEDDED);
  return schema > known ? tooNew(file, { found: schema, known }).message : undefined;
};

/**
 * Makes the file (mode 0600) where needed and brings it to this version's schema.
 * Throws `misconfigured` for a file that a newer version wrote or that is not a database.
 */
export function openDatabase(options: {
  /** A path, or `:memory:`. */
  file: string;
  /** What `committed` and `flush` wait for: `full` survives a power cut. */
  synchronous?: "full" | "normal";
  migrations?: Migration[];
  /** It stays as an older version left it, which is to read it. */
  keepsSchema?: boolean;
}): Database {
  const { file, synchronous = "full", migrations = EMBEDDED, keepsSchema = false } = options;
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const sqlite = openFile(file);
  try {
    sqlite.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    sqlite.run(MAY_SHRINK);
    sqlite.run("PRAGMA journal_mode = WAL");
    sqlite.run(`PRAGMA journal_size_limit = ${LOG_BYTES}`);
    sqlite.run("PRAGMA synchronous = FULL");
    if (!keepsSchema) migrate(sqlite, migrations, file);
    // After the migrations: a table rebuild with foreign keys on would delete the rows that refer to it.
    sqlite.run("PRAGMA foreign_keys = ON");
    // From here on it is not SQLite that waits for the disk but wal-sync.ts.
    sqlite.run("PRAGMA synchronous = NORMAL");
    sqlite.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  } catch (error) {
    sqlite.close();
    throw asMisconfigured(error, file);
  }
  const sync = synchronous === "full" && file !== ":memory:" ? createWalSync(file) : noSync;
  const commits = createGroupCommit({ sqlite, sync });
  return {
    ...commits,
    orm: drizzle({ client: sqlite }),
    sqlite,
    changes: createChanges(sqlite),
    shrink: createShrink(sqlite),
    [Symbol.dispose]() {
      try {
        commits.flush();
      } catch {
        // Who mirrors it has heard of the loss; the rest is closed all the same.
      }
      sync.close();
      // Statements that are still prepared keep SQLite from doing this by itself.
      sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
      sqlite.close();
    },
  };
}

function openFile(file: string): Sqlite {
  try {
    const sqlite = new Sqlite(file, { create: true, strict: true });
    if (file !== ":memory:") chmodSync(file, 0o600);
    return sqlite;
  } catch (error) {
    throw asMisconfigured(error, file);
  }
}

function asMisconfigured(error: unknown, file: string): ForecourtError {
  if (error instanceof ForecourtError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ForecourtError("misconfigured", `The database ${file} cannot be opened: ${reason}.`, { cause: error });
}

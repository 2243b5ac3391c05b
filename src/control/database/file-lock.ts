// A lock file between processes, held by the operating system: it ends with its process, however that ends.
import { Database as Sqlite } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { ForecourtError } from "../../core/errors.ts";

/**
 * Undefined while someone else, here or in another process of this machine, holds it. The file stays behind, empty:
 * removing it would let two hold what each believes to be the same file. Throws `misconfigured` where it cannot be written.
 */
export function tryFileLock(path: string): Disposable | undefined {
  mkdirSync(dirname(path), { recursive: true });
  let lock: Sqlite | undefined;
  try {
    // SQLite's own file lock is used because Bun has no flock.
    lock = new Sqlite(path, { create: true });
    lock.run("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (isBusy(error)) return undefined;
    throw unwritable(path, error);
  }
  return { [Symbol.dispose]: () => lock.close() };
}

function unwritable(path: string, cause: unknown): ForecourtError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const ways = "It may belong to another user, and its disk be full or read-only: mend that, or give another --data.";
  return new ForecourtError("misconfigured", `${path} cannot be written (${reason}). ${ways}`, { cause });
}

const isBusy = (error: unknown) => error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";

// A lock file between processes, held by the operating system: it ends with its process, however that ends.
import { Database as Sqlite } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Undefined while someone else, here or in another process of this machine, holds it. The file stays behind, empty:
 * removing it would let two hold what each believes to be the same file.
 */
export function tryFileLock(path: string): Disposable | undefined {
  mkdirSync(dirname(path), { recursive: true });
  // SQLite's own file lock is used because Bun has no flock.
  const lock = new Sqlite(path, { create: true });
  try {
    lock.run("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => lock.close() };
}

const isBusy = (error: unknown) => error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";

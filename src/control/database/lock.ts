// One server for each data directory: an operating-system lock that ends with its process, however it ends.
import { Database as Sqlite } from "bun:sqlite";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";

export type DataLock = { [Symbol.dispose](): void };

/** Throws `unavailable` when another process holds it. */
export function lockData(data: string): DataLock {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const pidFile = join(data, "server.pid");
  // SQLite's own file lock is used because Bun has no flock; the file stays empty.
  const lock = new Sqlite(join(data, "server.lock"), { create: true });
  try {
    lock.run("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw new ForecourtError(
      "unavailable",
      `Another Forecourt${holder(pidFile)} uses ${data}. Stop it, or give this one its own --data.`,
      { cause: error },
    );
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]() {
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

function holder(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, "utf8").trim()})`;
  } catch {
    return ""; // it may be between taking the lock and writing its number
  }
}

// One server for each data directory: a lock that ends with its process, however it ends.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import { tryFileLock } from "./file-lock.ts";

/** Throws `unavailable` when another process has it. */
export function lockData(data: string): Disposable {
  const pidFile = join(data, "server.pid");
  const lock = tryFileLock(join(data, "server.lock"));
  if (!lock) {
    const advice = "Stop it, or give this one its own --data.";
    throw new ForecourtError("unavailable", `Another Forecourt${holder(pidFile)} uses ${data}. ${advice}`);
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]() {
      rmSync(pidFile, { force: true });
      lock[Symbol.dispose]();
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

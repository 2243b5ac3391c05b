// Folders beside the system's temporary files that take minutes to make: once on a machine, whichever test process is first.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryFileLock } from "../../src/control/database/file-lock.ts";

/**
 * The folder `forecourt-<name>`; undefined where `make`, which is handed the empty or half made folder, answers false.
 * Waits while another process makes it.
 */
export function madeOnce(name: string, make: (folder: string) => boolean): string | undefined {
  const folder = join(tmpdir(), `forecourt-${name}`);
  const complete = join(folder, "complete");
  if (existsSync(complete)) return folder;
  using _lock = takeLock(`${folder}.lock`);
  if (existsSync(complete)) return folder;
  mkdirSync(folder, { recursive: true });
  if (!make(folder)) return undefined;
  writeFileSync(complete, "");
  return folder;
}

function takeLock(path: string): Disposable {
  for (;;) {
    const lock = tryFileLock(path);
    if (lock) return lock;
    Bun.sleepSync(100); // the holder is another process, of which nothing else is heard
  }
}

/** Runs a program; false where it fails or is not there. */
export function succeeds(command: readonly string[], env: Record<string, string> = {}): boolean {
  try {
    const all = { ...process.env, ...env };
    return Bun.spawnSync([...command], { env: all, stdout: "ignore", stderr: "inherit" }).success;
  } catch {
    return false;
  }
}

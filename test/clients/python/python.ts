// fal's Python client in an environment of its own beside the system's temporary files, made once.
import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Pinned: another release may behave differently. */
const FAL_CLIENT = "1.0.3";
const folder = join(tmpdir(), `forecourt-fal-client-${FAL_CLIENT}`);
const complete = join(folder, "complete");

/** The interpreter that has fal_client; undefined where there is no Python with venv, or no way to the package. */
export function pythonWithFalClient(): string | undefined {
  const python = join(folder, "bin", "python");
  if (existsSync(complete)) return python;
  const isMade =
    succeeds("python3", "-m", "venv", folder) &&
    succeeds(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", `fal-client==${FAL_CLIENT}`);
  if (isMade) writeFileSync(complete, "");
  return isMade ? python : undefined;
}

function succeeds(...command: string[]): boolean {
  try {
    return Bun.spawnSync(command, { stdout: "ignore", stderr: "inherit" }).success;
  } catch {
    return false; // there is no such program
  }
}

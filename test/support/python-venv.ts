// Python packages for a test, in an environment of their own beside the system's temporary files, made once.
import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The `bin` folder of an environment with these packages, pinned as pip writes them (`name==1.2.3`); undefined where
 * there is no Python with venv, or no way to the packages.
 */
export function pythonWith(...requirements: readonly string[]): string | undefined {
  const folder = join(tmpdir(), `forecourt-venv-${requirements.join("-").replace(/[^\w.-]+/g, "-")}`);
  const complete = join(folder, "complete");
  const bin = join(folder, "bin");
  if (existsSync(complete)) return bin;
  const isMade =
    succeeds("python3", "-m", "venv", folder) &&
    succeeds(join(bin, "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements);
  if (isMade) writeFileSync(complete, "");
  return isMade ? bin : undefined;
}

function succeeds(...command: string[]): boolean {
  try {
    return Bun.spawnSync(command, { stdout: "ignore", stderr: "inherit" }).success;
  } catch {
    return false; // there is no such program
  }
}

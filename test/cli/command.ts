// The command line as a user calls it: a process of its own, run from source.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");

export type Ended = { exitCode: number; stdout: string; stderr: string };

/** Runs `forecourt <words>` to its end, without any FORECOURT_* variable of the caller. */
export async function forecourt(words: string[], env: Record<string, string> = {}): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("FORECOURT_"));
  const child = Bun.spawn([process.execPath, MAIN, ...words], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return await ended(child);
}

/** A child whose two outputs are pipes, once it has ended. */
export async function ended(child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<Ended> {
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

const made: string[] = [];

/** An empty folder. A file that uses it ends with `afterAll(removeFolders)`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-cli-"));
  made.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

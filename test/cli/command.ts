// The command line as a user calls it: a process of its own, run from source.
import { mkdtempSync } from "node:fs";
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
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

export const newFolder = () => mkdtempSync(join(tmpdir(), "forecourt-cli-"));

// The compiled executable of the source as it is now, built once for a test file in a folder of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../config/build.ts";

export type BuiltExecutable = { path: string; [Symbol.asyncDispose](): Promise<void> };

export async function buildOnce(): Promise<BuiltExecutable> {
  const folder = await mkdtemp(join(tmpdir(), "forecourt-build-"));
  return {
    path: await build({ outfile: join(folder, "forecourt") }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

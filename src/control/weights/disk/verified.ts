// Remembers which files of others' caches were found right, so that gigabytes are hashed once and not at every start.
import { mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, Type } from "../../../core/schema.ts";
import { type Digest, digestText, hashFile, type ReadOptions } from "./digest.ts";

const ledgerSchema = Type.Object({
  version: Type.Literal(1),
  /** By real path. */
  files: Type.Record(
    Type.String(),
    Type.Object({ bytes: Type.Number(), modifiedMs: Type.Number(), digest: Type.String() }),
  ),
});

export type Verifier = {
  /** Does the file have this content? Hashes it unless it is known and has not changed since. */
  isRight(path: string, digest: Digest, options: ReadOptions): Promise<boolean>;
  /** Keeps what was learned. */
  save(): Promise<void>;
};

export async function openVerifier(root: string, folderName: string): Promise<Verifier> {
  const path = join(root, ".verified", `${folderName}.json`);
  const known = await readLedger(path);
  let isChanged = false;
  return {
    async isRight(file, digest, options) {
      const place = await realpath(file);
      const { size, mtimeMs } = await stat(place);
      const seen = { bytes: size, modifiedMs: mtimeMs, digest: digestText(digest) };
      if (Bun.deepEquals(known[place], seen)) return true;
      if ((await hashFile(place, digest.algorithm, options)) !== digest.hex) return false;
      known[place] = seen;
      isChanged = true;
      return true;
    },
    async save() {
      if (!isChanged) return;
      await mkdir(dirname(path), { recursive: true });
      const fresh = `${path}.${process.pid}.new`;
      await writeFile(fresh, JSON.stringify({ version: 1, files: known }));
      await rename(fresh, path);
    },
  };
}

async function readLedger(path: string) {
  try {
    return parse(ledgerSchema, JSON.parse(await readFile(path, "utf8"))).files;
  } catch {
    return {}; // nothing is known, then, and files are hashed again
  }
}

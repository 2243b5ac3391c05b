// A folder of a test file's own.
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Empty; removed, whatever is in it then, after the last test of the file or of the `describe` it is made in. */
export function testFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `forecourt-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

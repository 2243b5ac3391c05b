// Times reading files that are not in the page cache, one after the other: what no load of them can be faster than.
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { dropFromCache } from "./libc.ts";

export type ColdRead = { bytes: number; ms: number };

const CHUNK = 16 * 1024 * 1024;

/** `isTimed` false only drops them. Pages that are still to be written cannot be dropped, so they are written first. */
export async function coldRead(folder: string, isTimed: boolean): Promise<ColdRead> {
  const names = await readdir(folder);
  for (const name of names) {
    await using file = await open(join(folder, name));
    await file.datasync();
    dropFromCache(file.fd);
  }
  if (!isTimed) return { bytes: 0, ms: 0 };
  const chunk = Buffer.allocUnsafe(CHUNK);
  const begun = performance.now();
  let bytes = 0;
  for (const name of names) {
    await using file = await open(join(folder, name));
    for (let read = 1; read > 0; bytes += read) read = (await file.read(chunk, 0, CHUNK)).bytesRead;
  }
  return { bytes, ms: performance.now() - begun };
}

// Gives room in the file that nothing is in any more back to the disk, a little at a time. SQLite keeps it for later rows, and where
// fewer are kept than before, or a great load is over, none come.
import type { Database as Sqlite } from "bun:sqlite";

/** Half a megabyte: some milliseconds. */
const PAGES_AT_ONCE = 128;
/** Stays for what is written until the next look: an eighth of the file, and 16 MiB of a small one. */
const KEPT_SHARE = 1 / 8;
const KEPT_PAGES = 4_096;

/** Before the first table is made: a file is of this kind from its beginning, or from a copy of it, or not at all. */
export const MAY_SHRINK = "PRAGMA auto_vacuum = INCREMENTAL";

/** One step, in a transaction of the caller's; false when there is nothing more to give back. */
export function createShrink(sqlite: Sqlite): () => boolean {
  const count = (name: "freelist_count" | "page_count") =>
    sqlite.query<Record<string, number>, []>(`PRAGMA ${name}`).get()?.[name] ?? 0;
  return () => {
    const free = count("freelist_count");
    if (free - PAGES_AT_ONCE < Math.max(KEPT_PAGES, count("page_count") * KEPT_SHARE)) return false;
    sqlite.query(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`).all();
    return count("freelist_count") < free;
  };
}

// Whether another process has written, such as `forecourt keys revoke`: the server is to heed it with its next request.
import type { Database as Sqlite } from "bun:sqlite";

/** A read holds for this long: less than any other process needs to tell of what it wrote. */
const HOLDS_MS = 1;

/**
 * A number that changes when another process commits. It is read at most once in a millisecond: a request asks a dozen times, and
 * one read costs about as much as the look that it saves.
 */
export function createChanges(sqlite: Sqlite): () => number {
  const dataVersion = sqlite.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let version = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - readAt < HOLDS_MS) return version;
    version = dataVersion.get()?.data_version ?? 0;
    readAt = now;
    return version;
  };
}

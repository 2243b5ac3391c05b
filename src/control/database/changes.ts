// Whether another process has written, such as `forecourt keys revoke`: the server is to heed it with its next request.
import type { Database as Sqlite } from "bun:sqlite";

/**
 * A number that changes when another process commits. It is read at most once in a turn of the event loop: a request
 * asks a dozen times, and one read costs about as much as the look that it saves.
 */
export function createChanges(sqlite: Sqlite): () => number {
  const dataVersion = sqlite.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let version: number | undefined;
  const forget = () => {
    version = undefined;
  };
  return () => {
    if (version !== undefined) return version;
    version = dataVersion.get()?.data_version ?? 0;
    setImmediate(forget);
    return version;
  };
}

// Whether another process has written, such as `forecourt keys revoke`: the server is to heed it with its next request.
import type { Database as Sqlite } from "bun:sqlite";
import type { WalIndex } from "./wal-index.ts";

export type Changes = {
  /** A number that changes when another process commits. */
  version(): number;
  /** Does `commit`, which ends a transaction of this process. */
  committing(commit: () => void): void;
};

/**
 * Every request asks, so SQLite is asked only when the log tells of a transaction that is not this process's. Without an index of
 * the log it is asked once in a turn of the event loop: one read costs about as much as the look that it saves.
 */
export function createChanges(sqlite: Sqlite, index: WalIndex | undefined): Changes {
  const dataVersion = sqlite.prepare<{ data_version: number }, []>("PRAGMA data_version");
  const read = () => dataVersion.get()?.data_version ?? 0;
  return index ? byIndex(index, read) : byTurn(read);
}

function byIndex({ commits }: WalIndex, read: () => number): Changes {
  /** How many there are if nobody else has committed since `version` was read. */
  let expected = commits();
  let version = read();
  return {
    version() {
      const now = commits();
      if (now === expected) return version;
      // Counted before it is read: what comes in between is seen at the next look.
      expected = now;
      version = read();
      return version;
    },
    committing(commit) {
      // Nobody else commits while our transaction holds the lock.
      const isSeen = commits() === expected;
      commit();
      if (isSeen) expected = (expected + 1) >>> 0;
    },
  };
}

function byTurn(read: () => number): Changes {
  let version: number | undefined;
  const forget = () => {
    version = undefined;
  };
  return {
    version() {
      if (version !== undefined) return version;
      version = read();
      setImmediate(forget);
      return version;
    },
    committing: (commit) => commit(),
  };
}

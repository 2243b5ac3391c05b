// Waiting for the disk beside the event loop instead of on it. SQLite's own wait (synchronous = FULL) is the same call
// on the same file, the write-ahead log, but blocks the thread: milliseconds in which nobody is served. Where it takes less than the
// way to another thread (disk-pace.ts), it is waited for on the spot.
import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs";
import { createDiskPace } from "./disk-pace.ts";

export type WalSync = {
  /** Resolves when all that is committed at the time of the call is on disk. Callers of one moment share one wait. */
  later(): Promise<void>;
  /** The same, blocking. */
  now(): void;
  close(): void;
};

/** For databases in memory, and for operators who gave up on power cuts. */
export const noSync: WalSync = { later: () => Promise.resolve(), now: () => {}, close: () => {} };

/** The log exists from the first commit until the last connection is closed, and keeps its inode meanwhile. */
export function createWalSync(databaseFile: string): WalSync {
  let log: number | undefined;
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const pace = createDiskPace(() => performance.now());

  const open = () => {
    log ??= openSync(`${databaseFile}-wal`, "r+");
    return log;
  };
  const begin = (): Promise<void> => {
    next = undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const since = performance.now();
    fdatasync(open(), (error) => {
      pace.took(performance.now() - since);
      if (error) reject(error);
      else resolve();
    });
    current = promise.finally(() => {
      current = undefined;
    });
    return current;
  };
  const atOnce = async (): Promise<void> => {
    const since = performance.now();
    fdatasyncSync(open());
    pace.took(performance.now() - since);
  };
  return {
    later() {
      if (!current && pace.isQuick()) return atOnce();
      if (!current) return begin();
      // A wait that has begun may have passed over the latest commit.
      next ??= current.then(begin, begin);
      return next;
    },
    now: () => fdatasyncSync(open()),
    close() {
      if (log !== undefined) closeSync(log);
      log = undefined;
    },
  };
}

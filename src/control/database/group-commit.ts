// One transaction for all writes of an event-loop turn: hundreds of jobs share one wait for the disk.
import type { Database as Sqlite } from "bun:sqlite";
import { ForecourtError } from "../../core/errors.ts";

export type GroupCommit = {
  /**
   * Runs `work` at once, inside the transaction that this turn's writes share; its statements see each other.
   * When `work` throws, what it wrote is undone and the others' writes stay.
   */
  write<T>(work: () => T): T;
  /** Resolves when everything written so far is on disk. Throws `unavailable` when it could not be written. */
  committed(): Promise<void>;
  /** Commits now, e.g. before the database is closed. */
  flush(): void;
};

type Waiter = { resolve: () => void; reject: (error: ForecourtError) => void };

/** `onLost` hears that the turn's writes were undone (disk full): memory that mirrors them must be read again. */
export function createGroupCommit({ sqlite, onLost }: { sqlite: Sqlite; onLost: () => void }): GroupCommit {
  let waiters: Waiter[] = [];
  let isOpen = false;

  const flush = () => {
    if (!isOpen) return;
    isOpen = false;
    const told = waiters;
    waiters = [];
    try {
      sqlite.run("COMMIT");
      for (const { resolve } of told) resolve();
    } catch (error) {
      if (sqlite.inTransaction) sqlite.run("ROLLBACK");
      for (const { reject } of told) reject(notWritten(error));
      onLost();
    }
  };

  const begin = () => {
    if (isOpen) return;
    sqlite.run("BEGIN IMMEDIATE");
    isOpen = true;
    setImmediate(flush);
  };

  return {
    write(work) {
      begin();
      sqlite.run("SAVEPOINT work");
      try {
        const result = work();
        sqlite.run("RELEASE work");
        return result;
      } catch (error) {
        if (sqlite.inTransaction) sqlite.run("ROLLBACK TO work; RELEASE work");
        throw error;
      }
    },
    committed: () => (isOpen ? new Promise((resolve, reject) => waiters.push({ resolve, reject })) : Promise.resolve()),
    flush,
  };
}

const notWritten = (error: unknown) =>
  new ForecourtError(
    "unavailable",
    `The database could not be written: ${error instanceof Error ? error.message : error}. Is the disk full?`,
    { cause: error },
  );

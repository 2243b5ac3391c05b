// One transaction for all writes of an event-loop turn: hundreds of jobs share one commit and one wait for the disk.
import type { Database as Sqlite } from "bun:sqlite";
import { ForecourtError } from "../../core/errors.ts";
import type { WalSync } from "./wal-sync.ts";

export type GroupCommit = {
  /**
   * Runs `work` at once, inside the transaction that this turn's writes share; its statements see each other.
   * When `work` throws, what it wrote is undone and the others' writes stay.
   */
  write<T>(work: () => T): T;
  /** Resolves when everything written so far is on disk. Throws `unavailable` when it could not be written. */
  committed(): Promise<void>;
  /** Commits now and blocks until it is on disk: for rare writes that must hold, and before the end. */
  flush(): void;
  /** Hears that a turn's writes were undone (disk full): memory that mirrors them must be read again. */
  onLost(listener: (error: ForecourtError) => void): () => void;
};

type Turn = { done: Promise<void>; resolve: (value: Promise<void>) => void; reject: (error: ForecourtError) => void };

export function createGroupCommit({ sqlite, sync }: { sqlite: Sqlite; sync: WalSync }): GroupCommit {
  const statement = prepareAll(sqlite);
  const listeners = new Set<(error: ForecourtError) => void>();
  let turn: Turn | undefined;
  let latest = Promise.resolve();
  let onDisk: Promise<void> | undefined;

  const lost = (error: unknown): ForecourtError => {
    const failure = notWritten(error);
    for (const listener of listeners) listener(failure);
    return failure;
  };
  const begin = () => {
    if (turn) return;
    statement.begin.run();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    latest = promise;
    promise.catch(() => {}); // listeners of `lost` have heard of it, whether or not a caller waits
    turn = { done: promise, resolve, reject };
    // While the disk is busy with earlier turns nobody could be told anyway: later turns join this one.
    if (onDisk) onDisk.then(commit, commit);
    else setImmediate(commit);
  };
  const wait = (): Promise<void> => {
    const done = sync.later().catch((error) => {
      throw lost(error);
    });
    const over = () => {
      if (onDisk === done) onDisk = undefined;
    };
    onDisk = done;
    done.then(over, over);
    return done;
  };
  /** A full disk in the middle of a statement makes SQLite undo the whole transaction, others' writes too. */
  const abandon = (error: unknown) => {
    const { reject } = turn ?? {};
    turn = undefined;
    reject?.(lost(error));
  };
  function commit() {
    if (!turn) return;
    const { resolve, reject } = turn;
    turn = undefined;
    try {
      statement.commit.run();
      resolve(wait());
    } catch (error) {
      if (sqlite.inTransaction) statement.rollback.run();
      reject(lost(error));
    }
  }

  return {
    write(work) {
      begin();
      statement.savepoint.run();
      try {
        const result = work();
        statement.release.run();
        return result;
      } catch (error) {
        if (sqlite.inTransaction) {
          statement.undo.run();
          statement.release.run();
        } else abandon(error);
        throw error;
      }
    },
    committed: () => latest,
    flush() {
      commit();
      sync.now();
    },
    onLost(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const prepareAll = (sqlite: Sqlite) => ({
  begin: sqlite.prepare("BEGIN IMMEDIATE"),
  commit: sqlite.prepare("COMMIT"),
  rollback: sqlite.prepare("ROLLBACK"),
  savepoint: sqlite.prepare("SAVEPOINT work"),
  release: sqlite.prepare("RELEASE work"),
  undo: sqlite.prepare("ROLLBACK TO work"),
});

const notWritten = (error: unknown) =>
  new ForecourtError(
    "unavailable",
    `The database could not be written: ${error instanceof Error ? error.message : error}. Is the disk full?`,
    { cause: error },
  );

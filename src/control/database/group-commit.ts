// One transaction for all writes of an event-loop turn: hundreds of jobs share one commit and one wait for the disk, and
// only where somebody waits for the disk is it waited for at once.
import type { Database as Sqlite } from "bun:sqlite";
import { ForecourtError } from "../../core/errors.ts";
import { createDiskWaits } from "./disk-waits.ts";
import type { WalSync } from "./wal-sync.ts";

export type GroupCommit = {
  /**
   * Runs `work` at once, inside the transaction that this turn's writes share; its statements see each other.
   * When `work` throws, what it wrote is undone and the others' writes stay.
   */
  write<T>(work: () => T): T;
  /** Inside a write: called if what it wrote is undone, alone or with its whole turn; the latest first. */
  onUndone(restore: () => void): void;
  /**
   * Commits what this turn wrote so far, unless the disk is busy: what has ended is told before what has come in the same turn is begun,
   * or a server with much to do would let those wait longest who have waited longest.
   */
  early(): void;
  /**
   * Resolves when everything written so far is committed: the end of this process loses it no more, a power cut may. Throws
   * `unavailable` when it could not be written.
   */
  written(): Promise<void>;
  /** Resolves when everything written so far is on disk. Throws as `written` does. */
  committed(): Promise<void>;
  /**
   * Commits now and blocks until it is on disk: for rare writes that must hold, and before the end. Throws `unavailable` when
   * it could not be written.
   */
  flush(): void;
  /** Hears that a turn's writes were undone (disk full): memory that mirrors them must be read again. */
  onLost(listener: (error: ForecourtError) => void): () => void;
};

type Turn = {
  written: PromiseWithResolvers<void>;
  onDisk: PromiseWithResolvers<void>;
  /** Somebody waits until it is on disk. */
  isAwaited: boolean;
  /** What memory does if it is undone. */
  restores: (() => void)[];
};

export function createGroupCommit({ sqlite, sync }: { sqlite: Sqlite; sync: WalSync }): GroupCommit {
  const statement = prepareAll(sqlite);
  const { lost, onLost } = createLossNews();
  let turn: Turn | undefined;
  let latest: Turn | undefined;
  const disk = createDiskWaits(sync, lost);
  const begin = () => {
    if (turn) return;
    statement.begin.run();
    turn = newTurn();
    latest = turn;
    // While the disk is busy with earlier turns nobody could be told anyway: later turns join this one.
    disk.afterCurrent(() => void commit());
  };
  const fail = (one: Turn, error: unknown) => {
    restore(one, 0);
    const failure = lost(error);
    for (const { reject } of [one.written, one.onDisk]) reject(failure);
    return failure;
  };
  /** A full disk in the middle of a statement makes SQLite undo the whole transaction, others' writes too. */
  const abandon = (error: unknown) => {
    const undone = turn;
    turn = undefined;
    if (undone) fail(undone, error);
  };
  function commit(): ForecourtError | undefined {
    if (!turn) return undefined;
    const committed = turn;
    turn = undefined;
    try {
      statement.commit.run();
    } catch (error) {
      if (sqlite.inTransaction) statement.rollback.run();
      return fail(committed, error);
    }
    committed.written.resolve();
    disk.add(committed.onDisk);
    if (committed.isAwaited) disk.ask();
    return undefined;
  }

  return {
    write(work) {
      begin();
      const before = turn?.restores.length ?? 0;
      statement.savepoint.run();
      try {
        const result = work();
        statement.release.run();
        return result;
      } catch (error) {
        if (sqlite.inTransaction) {
          statement.undo.run();
          statement.release.run();
          if (turn) restore(turn, before);
        } else abandon(error);
        throw error;
      }
    },
    early() {
      if (turn && !disk.isBusy()) commit();
    },
    onUndone: (put) => void turn?.restores.push(put),
    written: () => latest?.written.promise ?? Promise.resolve(),
    committed() {
      if (turn) turn.isAwaited = true;
      else disk.ask();
      return latest?.onDisk.promise ?? Promise.resolve();
    },
    flush() {
      const failure = commit();
      if (failure) throw failure;
      sync.now();
      disk.done();
    },
    onLost,
  };
}

function createLossNews() {
  const listeners = new Set<(error: ForecourtError) => void>();
  return {
    lost(error: unknown): ForecourtError {
      const failure = notWritten(error);
      for (const listener of listeners) listener(failure);
      return failure;
    },
    onLost(listener: (error: ForecourtError) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function newTurn(): Turn {
  const [written, onDisk] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const turn: Turn = { written, onDisk, isAwaited: false, restores: [] };
  // Listeners of a loss have heard of it, whether or not a caller waits.
  for (const { promise } of [turn.written, turn.onDisk]) promise.catch(() => {});
  return turn;
}

/** Of what was done after the first `from`. */
function restore({ restores }: Turn, from: number): void {
  for (const put of restores.splice(from).toReversed()) put();
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

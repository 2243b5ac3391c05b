// One transaction for all writes of an event-loop turn: hundreds of jobs share one commit and one wait for the disk, and
// only where somebody waits for the disk is it waited for at once.
import type { Database as Sqlite } from "bun:sqlite";
import { ForecourtError } from "../../core/errors.ts";
import { createDiskWaits, type DiskWaits } from "./disk-waits.ts";
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
  const ends = createTurnEnds(disk, lost);
  const begin = (): Turn => {
    if (turn) return turn;
    statement.begin.run();
    turn = newTurn();
    latest = turn;
    // While the disk is busy with earlier turns nobody could be told anyway: later turns join this one.
    disk.afterCurrent(() => void commit());
    return turn;
  };
  function commit(): ForecourtError | undefined {
    if (!turn) return undefined;
    const committed = turn;
    turn = undefined;
    try {
      statement.commit.run();
    } catch (error) {
      if (sqlite.inTransaction) statement.rollback();
      return ends.lost(committed, error);
    }
    ends.committed(committed);
    return undefined;
  }
  /** What the first write of a turn wrote is all that its transaction holds: it needs no savepoint, which copies every page that is changed. */
  const undo = (current: Turn, { isFirst, from }: { isFirst: boolean; from: number }, error: unknown) => {
    if (!sqlite.inTransaction) {
      // A full disk in the middle of a statement makes SQLite undo the whole transaction, others' writes too.
      const undone = turn;
      turn = undefined;
      if (undone) ends.lost(undone, error);
      return;
    }
    statement.undo(isFirst);
    restore(current, from);
    if (!isFirst) return;
    // What is written after it begins another transaction.
    turn = undefined;
    ends.committed(current);
  };

  return {
    write(work) {
      const isFirst = turn === undefined;
      const current = begin();
      const from = current.restores.length;
      if (!isFirst) statement.savepoint.run();
      try {
        const result = work();
        if (!isFirst) statement.release.run();
        return result;
      } catch (error) {
        undo(current, { isFirst, from }, error);
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

/** What those who wait for a turn hear. */
function createTurnEnds(disk: Pick<DiskWaits, "add">, lost: (error: unknown) => ForecourtError) {
  return {
    /** All of it, or nothing was left to commit. */
    committed({ written, onDisk, isAwaited }: Turn): void {
      written.resolve();
      disk.add(onDisk, isAwaited);
    },
    lost(turn: Turn, error: unknown): ForecourtError {
      restore(turn, 0);
      const failure = lost(error);
      for (const { reject } of [turn.written, turn.onDisk]) reject(failure);
      return failure;
    },
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

function prepareAll(sqlite: Sqlite) {
  const rollback = sqlite.prepare("ROLLBACK");
  const release = sqlite.prepare("RELEASE work");
  const undo = sqlite.prepare("ROLLBACK TO work");
  return {
    begin: sqlite.prepare("BEGIN IMMEDIATE"),
    commit: sqlite.prepare("COMMIT"),
    rollback: () => void rollback.run(),
    savepoint: sqlite.prepare("SAVEPOINT work"),
    release,
    undo(isAll: boolean) {
      if (isAll) return void rollback.run();
      undo.run();
      release.run();
    },
  };
}

const notWritten = (error: unknown) =>
  new ForecourtError(
    "unavailable",
    `The database could not be written: ${error instanceof Error ? error.message : error}. Is the disk full?`,
    { cause: error },
  );

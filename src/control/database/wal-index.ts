// How many transactions were committed to the database's write-ahead log, by whom ever: SQLite keeps that number in a file that all its
// processes share. https://sqlite.org/walformat.html, "The WAL-Index File Format": header, iChange.
import { closeSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";

export type WalIndex = {
  /** Counts up by one with each committed transaction that wrote something, modulo 2^32. */
  commits(): number;
  /**
   * To be called after the connection was closed: this process loses its locks on a file with the first descriptor of it that it
   * closes (fcntl(2)), and SQLite's would be lost.
   */
  close(): void;
};

const CHANGE_OFFSET = 8;

/** The file is there from a connection's first read until its end. Undefined where it is not: with a database in memory. */
export function openWalIndex(databaseFile: string): WalIndex | undefined {
  const file = openedShared(`${databaseFile}-shm`);
  if (file === undefined) return undefined;
  const field = new DataView(new ArrayBuffer(4));
  const isLittle = endianness() === "LE";
  return {
    commits() {
      readSync(file, field, 0, 4, CHANGE_OFFSET);
      return field.getUint32(0, isLittle);
    },
    close: () => closeSync(file),
  };
}

function openedShared(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}

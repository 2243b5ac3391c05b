// How many transactions were committed to the database's write-ahead log, by whom ever: SQLite keeps that number in memory that all its
// processes share, where it costs nothing to look. https://sqlite.org/walformat.html, "The WAL-Index File Format": header, iChange.
import { dlopen, FFIType, type Pointer, toArrayBuffer } from "bun:ffi";
import { closeSync, openSync } from "node:fs";

export type WalIndex = {
  /** Counts up by one with each committed transaction that wrote something, modulo 2^32. Not to be called after `close`. */
  commits(): number;
  /**
   * To be called after the connection was closed: this process loses its locks on a file with the first descriptor of it that it
   * closes (fcntl(2)), and SQLite's would be lost. For the same reason the file is not mapped by Bun, which closes its descriptor at once.
   */
  close(): void;
};

/** Of the header's 32-bit fields, in the machine's own order of bytes. */
const CHANGE_FIELD = 2;
const HEADER_BYTES = 48;

const [PROT_READ, MAP_SHARED] = [1, 1];

/**
 * The file is there from a connection's first read until its end, and is not cut short meanwhile. Undefined where there is none (a
 * database in memory), and on systems whose C library has another name.
 */
export function openWalIndex(databaseFile: string): WalIndex | undefined {
  const file = openedShared(`${databaseFile}-shm`);
  if (file === undefined) return undefined;
  const mapped = map(file);
  if (!mapped) return undefined; // the file stays open: see `close`
  const header = new Uint32Array(toArrayBuffer(mapped.at, 0, HEADER_BYTES));
  return {
    commits: () => header[CHANGE_FIELD] ?? 0,
    close() {
      mapped.unmap();
      closeSync(file);
    },
  };
}

function openedShared(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}

function map(file: number): { at: Pointer; unmap(): void } | undefined {
  const libc = openLibc();
  const at = libc?.symbols.mmap(null, HEADER_BYTES, PROT_READ, MAP_SHARED, file, 0);
  // MAP_FAILED is the largest address there is: more than a number holds.
  if (!libc || typeof at !== "number") return undefined;
  return { at, unmap: () => void libc.symbols.munmap(at, HEADER_BYTES) };
}

function openLibc() {
  const { ptr, u64, i32, i64 } = FFIType;
  try {
    return dlopen("libc.so.6", {
      mmap: { args: [ptr, u64, i32, i32, i32, i64], returns: ptr },
      munmap: { args: [ptr, u64], returns: i32 },
    });
  } catch {
    return undefined;
  }
}

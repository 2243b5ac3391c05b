// A file cut into pieces that are fetched in any order: what of each is on disk.
import { crc32 } from "node:zlib";

export type Piece = {
  /** Offsets in the file: [start, end). */
  start: number;
  end: number;
  /** Bytes on disk from `start`. */
  done: number;
  /** CRC-32 of those bytes as they were received: tells what the disk has lost from what was sent wrong. */
  crc: number;
};

export function cutPieces(bytes: number, pieceBytes: number): Piece[] {
  const count = Math.ceil(bytes / pieceBytes);
  return Array.from({ length: count }, (_, index) => ({
    start: index * pieceBytes,
    end: Math.min(bytes, (index + 1) * pieceBytes),
    done: 0,
    crc: 0,
  }));
}

export const isWhole = ({ start, end, done }: Piece) => done === end - start;
export const doneBytes = (pieces: readonly Piece[]) => pieces.reduce((sum, { done }) => sum + done, 0);

/** Bytes from the file's beginning without a gap. */
export function donePrefix(pieces: readonly Piece[]): number {
  const open = pieces.find((piece) => !isWhole(piece));
  if (open) return open.start + open.done;
  return pieces.at(-1)?.end ?? 0;
}

/** Notes that `chunk` was written behind what the piece had. */
export function extend(piece: Piece, chunk: Uint8Array): void {
  piece.crc = crc32(chunk, piece.crc);
  piece.done += chunk.byteLength;
}

export function forget(piece: Piece): void {
  piece.done = 0;
  piece.crc = 0;
}

/** Are these the pieces of a file of that size: side by side, none fuller than it can be? */
export function isCutOf(bytes: number, pieces: readonly Piece[]): boolean {
  let at = 0;
  for (const { start, end, done } of pieces) {
    if (start !== at || end <= start || done < 0 || done > end - start) return false;
    at = end;
  }
  return at === bytes;
}

// An unfinished file on disk: the data so far, its journal, and the step from "all there" to "checked and in place".
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { isDiskFull } from "../../disk-full.ts";
import { writeAll } from "../../write-all.ts";
import { type Digest, digestText, readChunks } from "../disk/digest.ts";
import { createHashFollower, type HashFollower } from "./hash-follower.ts";
import { createJournal, type Journal, readJournal } from "./journal.ts";
import { cutPieces, donePrefix, extend, forget, isWhole, type Piece } from "./pieces.ts";

export type Part = AsyncDisposable & {
  readonly pieces: readonly Piece[];
  /** Appends to what the piece has; never beyond its end. */
  write(piece: Piece, chunk: Uint8Array): Promise<void>;
  /** Forgets everything: the next byte is the file's first. */
  restart(): Promise<void>;
  /** The hash of the whole; all pieces must be whole. */
  digest(): Promise<string>;
  /**
   * After a wrong hash: forgets the pieces whose bytes on disk are not those that were received (so that only they are
   * fetched again), or everything if the disk is innocent. Returns how many bytes are kept.
   */
  mend(): Promise<number>;
  /** On stable storage, then renamed to its final name, in one step. */
  finish(): Promise<void>;
  /** The journal says what is on disk; nothing to do after `finish` and `discard`. No other call may be under way. */
  save(): Promise<void>;
  /** Removes every trace. */
  discard(): Promise<void>;
};

export type PartFiles = { data: string; journal: string };

/**
 * Not `<blob>.incomplete`, which is what Hugging Face's own tools look for: they take such a file's size for its
 * progress, but ours is filled in any order.
 */
export const partFiles = (to: string): PartFiles => ({ data: `${to}.part`, journal: `${to}.part.json` });

/** Goes on with what an earlier process left, if it fits. The caller holds the lock. */
export async function openPart(given: {
  to: string;
  bytes: number;
  digest: Digest;
  pieceBytes: number;
}): Promise<Part> {
  const files = partFiles(given.to);
  const subject = { bytes: given.bytes, digest: digestText(given.digest) };
  const pieces = (await piecesOnDisk(files, subject)) ?? cutPieces(given.bytes, given.pieceBytes);
  const file = await open(files.data, constants.O_RDWR | constants.O_CREAT, 0o644);
  const journal = createJournal({ path: files.journal, subject, pieces });
  return createPart({ ...given, files, file, journal, pieces });
}

async function piecesOnDisk(files: PartFiles, subject: { bytes: number; digest: string }) {
  const pieces = await readJournal(files.journal, subject);
  const size = await stat(files.data).then(
    (found) => found.size,
    () => 0,
  );
  const needed = Math.max(0, ...(pieces ?? []).map(({ start, done }) => (done > 0 ? start + done : 0)));
  return size >= needed ? pieces : undefined;
}

type Open = {
  to: string;
  bytes: number;
  digest: Digest;
  files: PartFiles;
  file: FileHandle;
  journal: Journal;
  pieces: Piece[];
};

function createPart({ to, bytes, digest, files, file, journal, pieces }: Open): Part {
  const newFollower = () => createHashFollower({ file, bytes, algorithm: digest.algorithm });
  let follower: HashFollower = newFollower();
  follower.follow(donePrefix(pieces));
  const startOver = async (damaged: Piece[]) => {
    await follower.stop();
    for (const piece of damaged) forget(piece);
    follower = newFollower();
    follower.follow(donePrefix(pieces));
    journal.note();
  };
  return {
    pieces,
    async write(piece, chunk) {
      await writeAll(file, chunk, piece.start + piece.done);
      extend(piece, chunk);
      journal.note();
      if (isWhole(piece)) follower.follow(donePrefix(pieces));
    },
    restart: () => startOver(pieces),
    digest: () => follower.digest(),
    async mend() {
      const damaged = await damagedPieces(file, pieces);
      const isDiskInnocent = damaged.length === 0;
      await startOver(isDiskInnocent ? pieces : damaged);
      return pieces.reduce((kept, { done }) => kept + done, 0);
    },
    async finish() {
      await file.sync();
      await rename(files.data, to);
      await journal.remove();
    },
    async save() {
      try {
        await journal.flush();
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        await release(file, pieces);
        await journal.flush();
      }
    },
    async discard() {
      await journal.remove();
      await rm(files.data, { force: true });
    },
    async [Symbol.asyncDispose]() {
      await follower.stop();
      await file.close();
    },
  };
}

/** Gives the end of the file back to a full disk, so that there is room to note what the rest holds. */
async function release(file: FileHandle, pieces: Piece[]): Promise<void> {
  const last = pieces.findLast(({ done }) => done > 0);
  if (!last) return;
  forget(last);
  await file.truncate(last.start);
}

async function damagedPieces(file: FileHandle, pieces: Piece[]): Promise<Piece[]> {
  const damaged: Piece[] = [];
  for (const piece of pieces) {
    let crc = 0;
    for await (const chunk of readChunks(file, { from: piece.start, to: piece.end })) crc = crc32(chunk, crc);
    if (crc !== piece.crc) damaged.push(piece);
  }
  return damaged;
}

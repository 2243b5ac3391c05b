// What is on disk of an unfinished file, written beside it so that the next process goes on from there.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { systemTimers, type Timers } from "../../../core/clock.ts";
import { parse, Type } from "../../../core/schema.ts";
import { milliseconds } from "../../../core/units.ts";
import { isCutOf, type Piece } from "./pieces.ts";

const whole = () => Type.Integer({ minimum: 0 });
const journalSchema = Type.Object({
  version: Type.Literal(1),
  digest: Type.String(),
  bytes: whole(),
  pieces: Type.Array(Type.Object({ start: whole(), end: whole(), done: whole(), crc: whole() })),
});

/** Of this size and content; anything else in the file is as good as nothing. */
export type JournalSubject = { bytes: number; digest: string };

/** Undefined if there is none, it is damaged (a power cut), or it is of another file. */
export async function readJournal(path: string, { bytes, digest }: JournalSubject): Promise<Piece[] | undefined> {
  try {
    const journal = parse(journalSchema, JSON.parse(await readFile(path, "utf8")));
    const isOurs = journal.digest === digest && journal.bytes === bytes && isCutOf(bytes, journal.pieces);
    return isOurs ? journal.pieces : undefined;
  } catch {
    return undefined; // then the file begins anew; its content is checked against the digest in any case
  }
}

export type Journal = {
  /** Saves soon; call it after each change. Throws what an earlier save in the background met. */
  note(): void;
  /** Saves what is not saved yet. */
  flush(): Promise<void>;
  remove(): Promise<void>;
};

/** A killed process repeats at most the work of this long. */
const SAVE_AFTER = milliseconds(250);

export function createJournal({
  path,
  subject,
  pieces,
  timers = systemTimers,
}: {
  path: string;
  subject: JournalSubject;
  /** Read at each save; the caller goes on changing them. */
  pieces: readonly Piece[];
  timers?: Timers;
}): Journal {
  let isSaved = true;
  let callOff: (() => void) | undefined;
  let saving: Promise<void> = Promise.resolve();
  let failure: unknown;

  const save = async () => {
    isSaved = true;
    try {
      const fresh = `${path}.new`;
      await writeFile(fresh, JSON.stringify({ version: 1, ...subject, pieces }));
      await rename(fresh, path);
    } catch (error) {
      isSaved = false;
      throw error;
    }
  };
  const stopWaiting = () => {
    callOff?.();
    callOff = undefined;
  };
  return {
    note() {
      if (failure !== undefined) throw failure;
      isSaved = false;
      callOff ??= timers.after(SAVE_AFTER, () => {
        callOff = undefined;
        saving = saving.then(save).catch((error: unknown) => {
          failure = error;
        });
      });
    },
    async flush() {
      stopWaiting();
      await saving;
      if (!isSaved) await save();
      failure = undefined;
    },
    async remove() {
      stopWaiting();
      await saving;
      isSaved = true;
      for (const each of [path, `${path}.new`]) await rm(each, { force: true });
    },
  };
}

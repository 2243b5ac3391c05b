// Conversations that callers keep by id. What is said in one is kept as long as finished jobs are, in the room of its key.
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId, type KeyId, newJobId } from "../../core/ids.ts";
import { type Bytes, type Instant, instant, MIB } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createRoom } from "../rooms/room.ts";
import { createConversationStore } from "./conversation-store.ts";

export type Metadata = Record<string, string>;
export type Conversation = { id: string; key: KeyId; metadata: Metadata; createdAt: Instant };
/** An item as callers are told it. */
export type Said = { id: string; [field: string]: unknown };
/** A job that goes on from a conversation; `isBeginning`: it is not to be found yet. */
export type Turn = { place: number; job: JobId; asked: number; isBeginning: boolean };

/**
 * What makes one larger throws `room_full` when its key's room is, `payload_too_large` when it would be too large itself,
 * and `not_found` when it was removed meanwhile.
 */
export type Conversations = {
  /** Resolves, as all that change something, when it is on disk. */
  create(made: { key: KeyId; metadata: Metadata; items: Said[] }): Promise<Conversation>;
  find(id: string): Conversation | undefined;
  update(id: string, metadata: Metadata): Promise<void>;
  remove(id: string): Promise<void>;
  /** In order, without those of turns. */
  items(id: string): Said[];
  /** One of whichever conversation. */
  findItem(item: string): { item: Said; conversation: string; key: KeyId } | undefined;
  add(id: string, items: Said[]): Promise<void>;
  removeItem(id: string, item: string): Promise<void>;
  turns(id: string): Turn[];
  /** The conversation that a job went on from, if that is still there. */
  ofJob(job: JobId): string | undefined;
  /** What was said in a turn that is over takes its place. */
  settle(id: string, turn: Pick<Turn, "place">, items: readonly Said[]): void;
  /** A turn, which adds what is `asked`, is noted at once, before its job is begun; one that does not begin is none. */
  takeTurn<T>(id: string, asked: readonly unknown[], begin: (job: JobId) => Promise<T>): Promise<T>;
  /** Removes what was said before, and conversations in which nothing was since. */
  removeBefore(before: Instant): Promise<void>;
};

type Parts = {
  database: Database;
  clock: Clock;
  /** Of each key. */
  room: Bytes;
  /** Of one conversation: it is read as a whole. */
  maxBytes: Bytes;
};

/** Between two of these the server does its other work. */
const ROWS_AT_ONCE = 500;
/** What a row takes besides its text, in the table and its indexes. */
const ROW_BYTES = 512;
const sizeOf = (text: string) => ROW_BYTES + Buffer.byteLength(text);

const words = {
  what: "The conversations",
  setting: "openai.conversations.room_mb",
  remedy: "Delete conversations or items that are no longer needed, or ask the operator for more room.",
};

type Tools = ReturnType<typeof toolsOf>;

export function createConversations(parts: Parts): Conversations {
  const tools = toolsOf(parts);
  const { store, changed, grow, insert, clock } = tools;
  return {
    ...createTurns(tools),
    async create({ key, metadata, items }) {
      const now = clock.now();
      const made: Conversation = { id: `conv_${Bun.randomUUIDv7()}`, key, metadata, createdAt: now };
      const marks = JSON.stringify(metadata);
      const said = written(items);
      await changed(() => {
        store.insert({ ...made, metadata: marks, usedAt: now, bytes: 0 });
        grow(made.id, sizeOf(marks) + said.bytes);
        insert(made.id, { place: 1, part: 0 }, said);
      });
      return made;
    },
    find(id) {
      const row = store.find(id);
      if (!row) return undefined;
      const metadata = JSON.parse(row.metadata) as Metadata; // as it was written here
      return { id, key: asId<KeyId>(row.key), metadata, createdAt: instant(row.createdAt) };
    },
    update: (id, metadata) =>
      changed(() => {
        const marks = JSON.stringify(metadata);
        grow(id, sizeOf(marks) - sizeOf(store.find(id)?.metadata ?? ""));
        store.change(id, { metadata: marks });
      }),
    remove: (id) => changed(() => tools.freed(store.remove(id))),
    items: (id) => store.items(id).map(readSaid),
    findItem(id) {
      const found = store.findItem(id);
      return found && { ...found, item: readSaid(found.item), key: asId<KeyId>(found.key) };
    },
    add(id, items) {
      const said = written(items);
      return changed(() => {
        grow(id, said.bytes);
        insert(id, { place: store.nextPlace(id), part: 0 }, said);
      });
    },
    removeItem: (id, item) =>
      changed(() => {
        tools.shrunk(store.removeItem(id, item));
        store.change(id, { usedAt: clock.now() });
      }),
    async removeBefore(before) {
      // Items first: with a conversation all of its own go at once.
      const removeEntries = () => tools.shrunk(store.removeEntriesBefore(before, ROWS_AT_ONCE));
      const removeUnused = () => tools.freed(store.removeUnusedSince(before, ROWS_AT_ONCE));
      for (const remove of [removeEntries, removeUnused])
        while (tools.write(remove) === ROWS_AT_ONCE) await tools.committed();
    },
  };
}

const readSaid = (item: string) => JSON.parse(item) as Said; // as it was written here

type Place = { place: number; part: number };
type Written = ReturnType<typeof written>;

/** Items as they are kept, and what they take together. */
function written(items: readonly Said[]) {
  const rows = items.map((said) => {
    const item = JSON.stringify(said);
    return { id: said.id, item, bytes: sizeOf(item) };
  });
  return { rows, bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** What all changes are made of. */
function toolsOf({ database, clock, room: limit, maxBytes }: Parts) {
  const { write, committed } = database;
  const store = createConversationStore(database);
  const room = createRoom({ database, part: "conversations", limit, words });
  /** False for one that is not there. `isDone`: it is not refused. */
  const resize = (id: string, change: number, isDone: boolean) => {
    const row = store.find(id);
    if (!row) return false;
    const bytes = row.bytes + change;
    if (!isDone && change > 0 && bytes > maxBytes) throw tooLong(maxBytes);
    store.change(id, { bytes });
    (isDone || change <= 0 ? room.count : room.take)(asId<KeyId>(row.key), change);
    return true;
  };
  const use = (id: string) => store.change(id, { usedAt: clock.now() });
  return {
    ...{ store, write, committed, clock, use },
    async changed(change: () => void): Promise<void> {
      write(change);
      await committed();
    },
    grow(id: string, more: number): void {
      if (!resize(id, more, false)) throw gone();
      use(id);
    },
    settled: (id: string, change: number) => resize(id, change, true),
    insert(id: string, { place, part }: Place, { rows }: Written): void {
      for (const [at, row] of rows.entries())
        store.insertEntry({ ...row, conversation: id, place, part: part + at, createdAt: clock.now() });
    },
    /** Both give how many rows these were. */
    shrunk(removed: readonly { conversation: string; bytes: number }[]): number {
      for (const [id, bytes] of sums(removed.map((row) => [row.conversation, row.bytes]))) resize(id, -bytes, true);
      return removed.length;
    },
    freed(removed: readonly { key: string; bytes: number }[]): number {
      for (const [key, bytes] of sums(removed.map((row) => [row.key, row.bytes]))) room.count(asId<KeyId>(key), -bytes);
      return removed.length;
    },
  };
}

function sums(rows: readonly [string, number][]): Map<string, number> {
  const all = new Map<string, number>();
  for (const [name, size] of rows) all.set(name, (all.get(name) ?? 0) + size);
  return all;
}

function createTurns({ store, write, use, grow, settled, insert, clock }: Tools) {
  const beginning = new Set<JobId>();
  const dropTurn = (id: string, place: number) =>
    write(() => {
      settled(id, -(store.turnBytes(id, place) ?? 0));
      store.removeTurn(id, place);
    });
  return {
    turns: (id) =>
      store.turns(id).map(({ place, job, asked }) => {
        const of = asId<JobId>(job ?? "");
        return { place, job: of, asked: asked ?? 0, isBeginning: beginning.has(of) };
      }),
    ofJob: (job) => store.conversationOf(job),
    settle(id, { place }, items) {
      const said = written(items);
      write(() => {
        const before = store.turnBytes(id, place);
        if (before === undefined) return;
        store.endTurn(id, place, ROW_BYTES);
        settled(id, ROW_BYTES + said.bytes - before);
        insert(id, { place, part: 1 }, said);
        use(id);
      });
    },
    async takeTurn(id, asked, begin) {
      const job = newJobId();
      const bytes = sizeOf(JSON.stringify(asked));
      beginning.add(job);
      try {
        const place = write(() => {
          const next = store.nextPlace(id);
          grow(id, bytes);
          const of = { conversation: id, place: next, part: 0, createdAt: clock.now() };
          store.insertEntry({ ...of, job, asked: asked.length, bytes });
          return next;
        });
        return await begin(job).catch((error) => {
          dropTurn(id, place);
          throw error;
        });
      } finally {
        beginning.delete(job);
      }
    },
  } satisfies Pick<Conversations, "turns" | "ofJob" | "settle" | "takeTurn">;
}

const gone = () => new ForecourtError("not_found", "This conversation was deleted meanwhile.");

const tooLong = (most: Bytes) =>
  new ForecourtError(
    "payload_too_large",
    `This conversation would be larger than the ${most / MIB} MiB that a request may have: begin another one, or delete items of it.`,
    { details: { limit: most } },
  );

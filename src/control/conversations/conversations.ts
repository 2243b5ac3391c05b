// Conversations that callers keep by id. What is said in one is kept as long as finished jobs are.
import type { Clock } from "../../core/clock.ts";
import { asId, type JobId, type KeyId, newJobId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createConversationStore } from "./conversation-store.ts";

export type Metadata = Record<string, string>;
export type Conversation = { id: string; key: KeyId; metadata: Metadata; createdAt: Instant };
/** An item as callers are told it. */
export type Said = { id: string; [field: string]: unknown };
/** A job that goes on from a conversation; `isBeginning`: it is not to be found yet. */
export type Turn = { place: number; job: JobId; asked: number; isBeginning: boolean };

export type Conversations = {
  /** Resolves, as all that change something, when it is on disk. */
  create(made: { key: KeyId; metadata: Metadata; items: Said[] }): Promise<Conversation>;
  find(id: string): Conversation | undefined;
  update(id: string, metadata: Metadata): Promise<void>;
  remove(id: string): Promise<void>;
  /** In order, without those of turns. */
  items(id: string): Said[];
  add(id: string, items: Said[]): Promise<void>;
  removeItem(id: string, item: string): Promise<void>;
  turns(id: string): Turn[];
  /** What was said in a turn that is over takes its place. */
  settle(id: string, turn: Pick<Turn, "place">, items: readonly Said[]): void;
  /** A turn is noted at once, before its job is begun; one that does not begin is none. */
  takeTurn<T>(id: string, asked: number, begin: (job: JobId) => Promise<T>): Promise<T>;
  /** Removes what was said before, and conversations in which nothing was since. */
  removeBefore(before: Instant): Promise<void>;
};

type Parts = { database: Database; clock: Clock };

/** Between two of these the server does its other work. */
const ROWS_AT_ONCE = 500;

export function createConversations({ database, clock }: Parts): Conversations {
  const { write, committed } = database;
  const store = createConversationStore(database);
  const beginning = new Set<JobId>();

  const use = (id: string) => store.change(id, { usedAt: clock.now() });
  function insert(id: string, place: number, items: readonly Said[]): void {
    for (const [part, item] of items.entries()) {
      const of = { conversation: id, place, part, createdAt: clock.now() };
      store.insertEntry({ ...of, id: item.id, item: JSON.stringify(item) });
    }
  }
  async function changed(id: string, change: () => void): Promise<void> {
    write(() => {
      change();
      use(id);
    });
    await committed();
  }
  const settle: Conversations["settle"] = (id, { place }, items) =>
    write(() => {
      store.removePlace(id, place);
      insert(id, place, items);
      use(id);
    });

  return {
    settle,
    async create({ key, metadata, items }) {
      const now = clock.now();
      const made: Conversation = { id: `conv_${Bun.randomUUIDv7()}`, key, metadata, createdAt: now };
      await changed(made.id, () => {
        store.insert({ ...made, metadata: JSON.stringify(metadata), usedAt: now });
        insert(made.id, 1, items);
      });
      return made;
    },
    find(id) {
      const row = store.find(id);
      if (!row) return undefined;
      const metadata = JSON.parse(row.metadata) as Metadata; // as it was written here
      return { id, key: asId<KeyId>(row.key), metadata, createdAt: instant(row.createdAt) };
    },
    update: (id, metadata) => changed(id, () => store.change(id, { metadata: JSON.stringify(metadata) })),
    remove: (id) => changed(id, () => store.remove(id)),
    items: (id) => store.entries(id).flatMap(({ item }) => (item === null ? [] : [JSON.parse(item) as Said])),
    add: (id, items) => changed(id, () => insert(id, store.nextPlace(id), items)),
    removeItem: (id, item) => changed(id, () => store.removeItem(id, item)),
    turns: (id) =>
      store.entries(id).flatMap(({ place, job, asked }) => {
        if (job === null) return [];
        const of = asId<JobId>(job);
        return [{ place, job: of, asked: asked ?? 0, isBeginning: beginning.has(of) }];
      }),
    async takeTurn(id, asked, begin) {
      const job = newJobId();
      beginning.add(job);
      const place = write(() => {
        const next = store.nextPlace(id);
        store.insertEntry({ conversation: id, place: next, part: 0, job, asked, createdAt: clock.now() });
        use(id);
        return next;
      });
      try {
        return await begin(job);
      } catch (error) {
        settle(id, { place }, []);
        throw error;
      } finally {
        beginning.delete(job);
      }
    },
    async removeBefore(before) {
      // Items first: with a conversation all of its own go at once.
      for (const remove of [store.removeEntriesBefore, store.removeUnusedSince])
        while (write(() => remove(before, ROWS_AT_ONCE)) === ROWS_AT_ONCE) await committed();
    },
  };
}

// The bucket of this box, with books of what lies in it: what is removed from it is known without asking, and nothing that
// is begun there is forgotten, whenever the server ends.
import type { Clock } from "../../core/clock.ts";
import { instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { BucketStore } from "./bucket-store.ts";
import { gone } from "./disk-store.ts";
import type { FileStore } from "./file-store.ts";
import type { S3Store, Unremoved } from "./s3-store.ts";

export type Bucket = FileStore & {
  /** The books tell afterwards what is left. */
  remove(names: string[]): Promise<Unremoved[]>;
  /** Resolves when no parts are left of what was begun and came to no end. */
  giveUpParts(): Promise<void>;
  /** Resolves when the books tell all that is there. */
  takeStock(): Promise<void>;
};

export type BucketParts = {
  store: S3Store;
  /** All that this box keeps there lies in these. */
  folders: readonly string[];
  books: BucketStore;
  database: Pick<Database, "write" | "committed">;
  clock: Clock;
  /** Inside a write. Nothing is sent any more that is. */
  isRemoved(name: string): boolean;
};

/** A database that comes from a backup does not know what was sent since; nor do we where others have put back what was removed. */
const STOCK_MS = 7 * 24 * 60 * 60 * 1000;

export function createBucket({ store, folders, books, database, clock, isRemoved }: BucketParts): Bucket {
  const arriving = new Set<string>();
  const { write, committed } = database;

  const giveUpParts = async (name: string) => {
    const parts = books.partsOf(name);
    if (parts === undefined) return;
    await store.giveUp(name, parts);
    write(() => books.setParts(name, null));
  };
  const book = {
    async begins(name: string) {
      await giveUpParts(name);
      write(() => books.setParts(name, ""));
      await committed();
    },
    begun: (name: string, id: string) => write(() => books.setParts(name, id)),
    over: (name: string) => write(() => books.setParts(name, null)),
  };
  const takeStock = async () => {
    if (books.isTaken(store.place, instant(clock.now() - STOCK_MS))) return;
    for (const folder of folders)
      for (let names = await store.list(`${folder}/`); names.length > 0; ) {
        const found = names;
        write(() => found.forEach(books.add));
        names = await store.list(`${folder}/`, names.at(-1));
      }
    write(() => books.setTaken(store.place, clock.now()));
  };

  return {
    ...{ place: store.place, find: store.find, read: store.read, take: store.take },
    async put(name, path) {
      write(() => {
        if (isRemoved(name)) throw gone();
        books.add(name);
      });
      arriving.add(name);
      try {
        await committed();
        await store.put(name, path, book);
      } finally {
        arriving.delete(name);
      }
    },
    async remove(names) {
      // What is on its way may arrive after it was removed.
      const there = names.filter((name) => !arriving.has(name));
      const unremoved = await store.remove(there);
      const left = new Set(unremoved.map(({ name }) => name));
      write(() => there.filter((name) => !left.has(name)).forEach(books.remove));
      return unremoved;
    },
    async giveUpParts() {
      for (const name of books.inParts()) if (!arriving.has(name)) await giveUpParts(name);
    },
    takeStock,
  };
}

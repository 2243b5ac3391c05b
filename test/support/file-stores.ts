// Every kind of store, for suites that hold for all of them: each test gets an empty one.
import { afterAll, beforeAll, describe } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../src/control/database/open.ts";
import { createBucket } from "../../src/control/storage/bucket.ts";
import { createBucketStore } from "../../src/control/storage/bucket-store.ts";
import { createDiskStore } from "../../src/control/storage/disk-store.ts";
import type { FileStore } from "../../src/control/storage/file-store.ts";
import { createMovingStore, type MovingStore } from "../../src/control/storage/moving-store.ts";
import { createRemovals, type Removals } from "../../src/control/storage/removals.ts";
import { createS3Store, type S3Store } from "../../src/control/storage/s3-store.ts";
import { type Log, silentLog } from "../../src/core/log.ts";
import { hasS3Server, type S3Server, startS3Server } from "./s3-server.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";

export type StoreUnderTest = {
  /** An empty data directory. */
  data: string;
  store: FileStore;
  /** Its writes hold what is to be removed. */
  database: Database;
  removals: Removals;
  /** Moves what waits on the disk to where it belongs; nothing for a disk. */
  settle(): Promise<void>;
  /** Every file that is somewhere, by its path or name, sorted. */
  names(): Promise<string[]>;
};

/** `suite` is described once for each kind; `next` gives it another empty store. */
export function describeForEachStore(title: string, suite: (next: () => StoreUnderTest) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-stores-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const emptyFolder = () => mkdtempSync(join(folder, "data-"));

  describe(`${title}, on a disk`, () => {
    suite(() => {
      const data = emptyFolder();
      const { store, ...stores } = createStores({ data });
      return { data, store, ...stores, settle: async () => {}, names: async () => filesBelow(data) };
    });
  });
  describe.skipIf(!hasS3Server)(`${title}, in a bucket`, () => {
    let server: S3Server;
    let count = 0;
    beforeAll(async () => {
      server = await startS3Server();
    }, 60_000);
    afterAll(() => server[Symbol.asyncDispose]());
    suite(() => {
      const data = emptyFolder();
      const prefix = `store-${count++}/`;
      const { move, ...stores } = createStores({ data, s3: createS3Store({ ...server, prefix }) });
      const names = async () => {
        const inBucket = (await server.names()).filter((name) => name.startsWith(prefix));
        return [...filesBelow(data), ...inBucket.map((name) => name.slice(prefix.length))].sort();
      };
      const settle = async () => {
        await move(); // there
        await move(); // and no more here
      };
      return { data, ...stores, settle, names };
    });
  });
}

type Stores = { data: string; s3?: S3Store; database?: Database; clock?: TestClock; log?: Log };

/** What createStorage puts together, apart: nothing happens in it but by hand. */
export function createStores({ data, s3, log = silentLog, clock = createTestClock(), ...parts }: Stores) {
  const { database = openDatabase({ file: ":memory:" }) } = parts;
  const local = createDiskStore({ root: data });
  const books = createBucketStore(database);
  const folders = ["files", "uploads"];
  const isRemoved = (name: string) => removals.has(name);
  const bucket = s3 && createBucket({ store: s3, folders, books, database, clock, isRemoved });
  const removals = createRemovals({ local, bucket, books, database, clock, timers: clock, log });
  const moving = bucket && movingStore(data, bucket);
  return {
    store: moving ?? local,
    move: async () => (await moving?.move()) ?? 0,
    bucket,
    books,
    removals,
    database,
    clock,
  };
}

export const movingStore = (data: string, remote: FileStore, openTokens = () => new Set<string>()): MovingStore =>
  createMovingStore({
    ...{ local: createDiskStore({ root: data }), remote, folders: ["files", "uploads"], openTokens },
    ...{ timers: createTestClock(), log: silentLog },
  });

export const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name, parentPath }) => join(parentPath, name).slice(folder.length + 1))
        .sort()
    : [];

// Files of callers and of jobs, in the store that the settings name.
import { join } from "node:path";
import type { Clock, Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { bytes, MIB } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { roomOf } from "../rooms/room.ts";
import type { Settings } from "../settings.ts";
import { createBucket } from "./bucket.ts";
import { createBucketStore } from "./bucket-store.ts";
import { chosenBucket } from "./choose-store.ts";
import { createDiskStore, type DiskStore } from "./disk-store.ts";
import { createFileDefaults, type FileDefaults } from "./file-default-store.ts";
import { createFiles, FILES_FOLDER, type Files } from "./files.ts";
import { createMovingStore } from "./moving-store.ts";
import { createRemovals } from "./removals.ts";
import { createUploads, type Uploads } from "./uploads.ts";

export type Storage = {
  files: Files;
  uploads: Uploads;
  defaults: FileDefaults;
  /** Begins to move files to where they belong, if that is elsewhere, and to remove those that are over. */
  start(): void;
  stop(): Promise<void>;
};

export type StorageParts = {
  settings: Pick<Settings, "data" | "storage">;
  database: Database;
  /** Folders of jobs that wait or run. */
  openTokens(): Set<string>;
  clock: Clock;
  sweepClock: Clock;
  timers: Timers;
  log: Log;
};

/** Uploads too: those that lay here before there was a bucket. */
const MOVED = [FILES_FOLDER, "uploads"];

export function createStorage({ settings, database, openTokens, timers, log, ...clocks }: StorageParts): Storage {
  const { data, storage } = settings;
  const local = createDiskStore({ root: data });
  const { removals, bucket } = createRemoving({ local, settings, database, timers, log, clock: clocks.clock });
  const moving = bucket && createMovingStore({ local, remote: bucket, folders: MOVED, openTokens, timers, log });
  const fileStore = moving ?? local;
  const maxBytes = bytes(storage.maxUploadMb * MIB);
  const defaults = createFileDefaults(database);
  const { lifecycleOf } = defaults;
  const room = roomOf(storage.roomMb);
  const uploads = createUploads({
    ...{ root: join(data, "uploads"), fileStore, removals, database, ...clocks, maxBytes, room, lifecycleOf },
  });
  return {
    ...{ defaults, uploads, files: createFiles({ root: data, store: fileStore, removals }) },
    start() {
      removals.start();
      moving?.start();
    },
    async stop() {
      await moving?.stop();
      await removals.stop();
    },
  };
}

type RemovingParts = Pick<StorageParts, "settings" | "database" | "clock" | "timers" | "log"> & { local: DiskStore };

/** The bucket, if there is one, and what is to go from it and from the disk: each knows of the other. */
function createRemoving({ settings, database, clock, ...parts }: RemovingParts) {
  const books = createBucketStore(database);
  const store = chosenBucket(settings.storage);
  const isRemoved = (name: string) => removals.has(name);
  const bucket = store && createBucket({ store, folders: MOVED, books, database, clock, isRemoved });
  const removals = createRemovals({ ...parts, bucket, books, database, clock });
  return { removals, bucket };
}

// Files of callers and of jobs, in the store that the settings name.
import { join } from "node:path";
import type { Clock, Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { bytes, MIB } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { roomOf } from "../rooms/room.ts";
import type { Settings } from "../settings.ts";
import { chosenBucket } from "./choose-store.ts";
import { createDiskStore } from "./disk-store.ts";
import { createFileDefaults, type FileDefaults } from "./file-default-store.ts";
import { createFiles, FILES_FOLDER, type Files } from "./files.ts";
import { createMovingStore } from "./moving-store.ts";
import { createUploads, type Uploads } from "./uploads.ts";

export type Storage = {
  files: Files;
  uploads: Uploads;
  defaults: FileDefaults;
  /** Begins to move files to where they belong, if that is elsewhere. */
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
  const { data } = settings;
  const local = createDiskStore({ root: data });
  const bucket = chosenBucket(settings.storage);
  const moving = bucket && createMovingStore({ local, remote: bucket, folders: MOVED, openTokens, timers, log });
  const fileStore = moving ?? local;
  const maxBytes = bytes(settings.storage.maxUploadMb * MIB);
  const defaults = createFileDefaults(database);
  const { lifecycleOf } = defaults;
  const room = roomOf(settings.storage.roomMb);
  return {
    defaults,
    files: createFiles({ root: data, store: fileStore }),
    uploads: createUploads({
      root: join(data, "uploads"),
      fileStore,
      database,
      ...clocks,
      maxBytes,
      room,
      lifecycleOf,
    }),
    start: () => moving?.start(),
    stop: async () => await moving?.stop(),
  };
}

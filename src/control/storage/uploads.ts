// Files that callers bring: begun, filled, read by URL, swept when their time is over.
import type { Clock } from "../../core/clock.ts";
import { asId, type KeyId, newFileToken } from "../../core/ids.ts";
import { type Bytes, bytes, type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Key } from "../keys/key.ts";
import { createRoom, type Room, roomOf } from "../rooms/room.ts";
import { type Acl, type Decision, decide, type Lifecycle, OPEN } from "./acl.ts";
import type { FileDefaults } from "./file-default-store.ts";
import type { FileStore } from "./file-store.ts";
import { type StoredFile, storedFile } from "./files.ts";
import type { Removals } from "./removals.ts";
import {
  createLanding,
  createUploadContent,
  FILE_BYTES,
  type Landing,
  OPEN_MS,
  storedFolder,
  storedName,
  type Upload,
  type UploadContent,
} from "./upload-content.ts";
import { safeContentType, uploadName } from "./upload-name.ts";
import { createUploadStore, type UploadPage, type UploadRow, type UploadStore } from "./upload-store.ts";

export type NewUpload = {
  key: KeyId;
  name: string;
  contentType: string;
  /** Absent: as the key wants it for all. */
  lifecycle?: Lifecycle;
  purpose?: string;
};

export type UploadedFile = StoredFile & {
  owner: KeyId;
  acl: Acl;
  /** May it be read by this key, or by someone without one? */
  decide(reader: Key | undefined): Decision;
  /** Until its end; infinite for files that have none. */
  secondsLeft: number;
};

/** `at`: its place in the list. */
export type ListedUpload = Pick<UploadRow, "token" | "name" | "originalName" | "contentType" | "purpose"> & {
  size: Bytes;
  at: { createdAt: number; token: string };
  expiresAt: Instant | null;
};

export type Uploads = UploadContent & {
  /** Resolves when it is on record; its content is awaited for a day. Throws `room_full`. */
  begin(upload: NewUpload): Promise<Upload>;
  /** Undefined for unknown, incomplete and expired ones. */
  find(token: string, name: string): UploadedFile | undefined;
  /** Who may read it from now on. Resolves when that is on disk. */
  share(token: string, acl: Acl): Promise<void>;
  /** Complete ones of a key; `after`: the place of the one that the page before ended with. */
  list(key: KeyId, page: UploadPage): ListedUpload[];
  /** As `find`, for who asks by the token alone. */
  ofToken(token: string): (UploadedFile & { listed: ListedUpload }) | undefined;
  /** Resolves when nobody finds it any more, even after a power cut. */
  remove(token: string): Promise<void>;
  /** How much each key may fill, and one has filled. */
  room: Pick<Room, "limit" | "taken">;
  /** Removes what has expired; resolves to the number of files. */
  removeExpired(): Promise<number>;
  /** Also removes parts of what was never completed. */
  sweep(): Promise<number>;
};

/** Between two of these the server does its other work. */
const SWEPT_AT_ONCE = 100;

export type UploadsParts = {
  /** On this disk, for what has not arrived completely; nobody else may write there. */
  root: string;
  fileStore: FileStore;
  removals: Pick<Removals, "add">;
  database: Database;
  clock: Clock;
  /** What is over by it is removed. */
  sweepClock?: Clock;
  maxBytes: Bytes;
  /** Of each key. */
  room?: Bytes;
  /** What a key wants where an upload says nothing; by default all may read it, for ever. */
  lifecycleOf?: FileDefaults["lifecycleOf"];
};

export function createUploads(parts: UploadsParts): Uploads {
  const {
    root,
    fileStore,
    removals,
    database,
    clock,
    sweepClock = clock,
    maxBytes,
    lifecycleOf = () => undefined,
  } = parts;
  const { room: limit = roomOf(0) } = parts;
  const store = createUploadStore(database);
  const room = createRoom({ database, part: "uploads", limit, words });
  const landing = createLanding({ root, maxBytes });

  const remove = createRemove({ database, store, room, removals, landing });
  const removeExpired = async () => {
    for (let removed = 0; ; ) {
      const now = sweepClock.now();
      const over = store.over({ now, begunBefore: instant(now - OPEN_MS) }, SWEPT_AT_ONCE);
      if (over.length > 0) remove(over);
      removed += over.length;
      if (over.length < SWEPT_AT_ONCE) return removed;
      await database.committed();
    }
  };

  /** Undefined for an incomplete one, and one that is over. */
  const fileOf = (row: UploadRow): UploadedFile | undefined => {
    if (row.digest === null) return undefined;
    const secondsLeft = row.expiresAt === null ? Number.POSITIVE_INFINITY : (row.expiresAt - clock.now()) / 1000;
    return secondsLeft > 0 ? uploadedFile(row, { fileStore, digest: row.digest, secondsLeft }) : undefined;
  };

  return {
    ...createUploadContent({ landing, fileStore, removals, store, database, clock, maxBytes, room }),
    room,
    async begin(upload) {
      const row = newRow({ lifecycle: lifecycleOf(upload.key) ?? { acl: OPEN }, ...upload }, clock);
      database.write(() => {
        room.take(upload.key, row.held);
        store.insert(row);
      });
      await database.committed();
      return row;
    },
    find(token, name) {
      const row = store.byToken(token);
      return row?.name === name ? fileOf(row) : undefined;
    },
    async share(token, acl) {
      database.write(() => store.setAcl(token, JSON.stringify(acl)));
      await database.committed();
    },
    list: (key, page) => store.listOf(key, { ...page, now: clock.now() }).map(listed),
    ofToken(token) {
      const row = store.byToken(token);
      const file = row && fileOf(row);
      return file && { ...file, listed: listed(row) };
    },
    async remove(token) {
      remove([token]);
      await database.committed();
    },
    removeExpired,
    async sweep() {
      await landing.parts.sweep((token) => store.byToken(token)?.completedAt === null);
      return await removeExpired();
    },
  };
}

type Removing = Pick<UploadsParts, "database" | "removals"> & { store: UploadStore; room: Room; landing: Landing };

/** Parts that are left behind go with the next sweep. */
const createRemove =
  ({ database, store, room, removals, landing }: Removing) =>
  (tokens: string[]) => {
    database.write(() => {
      for (const token of tokens) {
        const removed = store.remove(token);
        if (!removed) continue;
        room.count(asId<KeyId>(removed.key), -removed.held);
        removals.add(storedFolder(token));
      }
    });
    for (const token of tokens) landing.parts.remove(token);
  };
const words = {
  what: "The uploaded files",
  setting: "storage.room_mb",
  remedy:
    "Delete some (DELETE /platform/v1/storage/files?url=..., GET lists them), let new ones expire (x-fal-object-lifecycle), or ask the operator for more room.",
};

const listed = ({ token, name, createdAt, size, expiresAt, ...row }: UploadRow): ListedUpload => ({
  ...{ token, name, originalName: row.originalName, contentType: row.contentType, purpose: row.purpose },
  at: { createdAt, token },
  size: bytes(size ?? 0),
  expiresAt: expiresAt === null ? null : instant(expiresAt),
});

function newRow(upload: NewUpload & { lifecycle: Lifecycle }, clock: Clock): UploadRow {
  const { key, name, contentType, lifecycle, purpose = null } = upload;
  const { original, inUrl } = uploadName(name);
  return {
    ...{ token: newFileToken(), secret: newFileToken(), key, name: inUrl, originalName: original },
    contentType: safeContentType(contentType),
    purpose,
    acl: JSON.stringify(lifecycle.acl),
    createdAt: clock.now(),
    keepFor: lifecycle.keepFor ?? null,
    ...{ expiresAt: null, completedAt: null, size: null, digest: null, held: FILE_BYTES },
  };
}

type Found = { fileStore: FileStore; digest: string; secondsLeft: number };

function uploadedFile(row: UploadRow, { fileStore, digest, secondsLeft }: Found): UploadedFile {
  const acl = JSON.parse(row.acl) as Acl; // written by newRow and share
  const { originalName: name, contentType } = row;
  const facts = { size: bytes(row.size ?? 0), modifiedAt: instant(row.completedAt ?? row.createdAt) };
  return {
    ...storedFile(fileStore, { at: storedName(row.token, digest), name, contentType, ...facts }),
    secondsLeft,
    owner: asId<KeyId>(row.key),
    acl,
    decide: (reader) => decide({ acl, owner: row.key }, reader),
  };
}

// The content of uploads on its way in: whole or in parts, the first complete one counts.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { type Bytes, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Arrival, Room } from "../rooms/room.ts";
import type { FileStore } from "./file-store.ts";
import type { Removals } from "./removals.ts";
import { createUploadParts, type UploadPart, type UploadParts } from "./upload-parts.ts";
import type { UploadRow, UploadStore } from "./upload-store.ts";
import { type Content, type Written, writeContent } from "./write-content.ts";

/** `token` and `name` are the file's address; `secret` is the right to send its content. */
export type Upload = { token: string; name: string; secret: string };

export type UploadContent = {
  /**
   * The whole content. Sending the same again is no harm. Throws `not_found` for an unknown secret, `bad_request` when
   * other content is there already, `room_full` when its key may fill no more, and what writeContent throws.
   */
  write(secret: string, content: Content): Promise<Upload>;
  /** One part, in any order; sent again it replaces the earlier one. Throws as `write` does. */
  writePart(secret: string, number: number, content: Content): Promise<UploadPart>;
  /** Joins the parts by their numbers. Throws `bad_request` for parts that are not there. Once done, it stays done. */
  complete(secret: string, parts: readonly UploadPart[]): Promise<Upload>;
};

/** Content is awaited for so long; the largest upload over a slow line is done by then. */
export const OPEN_MS = 24 * 60 * 60 * 1000;

/** Of a complete file: named by its digest, so that contents which arrive at once do not meet. */
export const storedName = (token: string, digest: string) => `${FOLDER}/${token}/${digest}`;
export const storedFolder = (token: string) => `${FOLDER}/${token}`;
const FOLDER = "uploads";

/** What a file takes of its key's room: most file systems have a place for so many of so many bytes each, and no more. */
export const heldBy = (...sizes: number[]) => sizes.reduce((sum, size) => sum + FILE_BYTES + size, 0);
export const FILE_BYTES = 16 * 1024;

/** Where content is received before it goes to the store. */
export type Landing = { parts: UploadParts; temporary(): string };

/** Removes what a killed server left half-written below `root`. */
export function createLanding({ root, maxBytes }: { root: string; maxBytes: Bytes }): Landing {
  const scratch = join(root, ".new");
  rmSync(scratch, { recursive: true, force: true });
  const temporary = () => join(scratch, randomBytes(12).toString("hex"));
  const parts = createUploadParts({ root: join(root, ".parts"), temporary, maxBytes });
  return { parts, temporary };
}

type ContentParts = {
  landing: Landing;
  fileStore: FileStore;
  removals: Pick<Removals, "add">;
  store: UploadStore;
  database: Database;
  clock: Clock;
  maxBytes: Bytes;
  room: Room;
};

export function createUploadContent(contentParts: ContentParts): UploadContent {
  const { landing, fileStore, removals, store, database, clock, maxBytes, room } = contentParts;
  const completing = new Map<string, Promise<Upload>>();

  const rowOf = (secret: string): UploadRow => {
    const row = store.bySecret(secret);
    const isOver = row?.completedAt === null && row.createdAt + OPEN_MS < clock.now();
    if (!row || isOver) throw new ForecourtError("not_found", "There is no such upload, or its time is over.");
    return row;
  };
  const arrive = ({ key }: UploadRow) => room.arrive(asId<KeyId>(key));
  /** Inside a write; undefined for an upload that is complete or gone. */
  const hold = (token: string, held: number): UploadRow | undefined => {
    const row = store.byToken(token);
    if (row?.completedAt !== null) return undefined;
    store.hold(token, held);
    room.count(asId<KeyId>(row.key), held - row.held);
    return row;
  };
  const fill = async (row: UploadRow, content: Content, arrival?: Arrival): Promise<Upload> => {
    const temporary = landing.temporary();
    const keep = ({ digest }: Written) => fileStore.put(storedName(row.token, digest), temporary);
    const written = await writeContent(content, { temporary, maxBytes, keep });
    const completedAt = clock.now();
    const expiresAt = row.keepFor === null ? null : instant(completedAt + row.keepFor);
    const isFirst = database.write(
      () =>
        hold(row.token, heldBy(written.size)) !== undefined &&
        store.complete(row.token, { ...written, completedAt, expiresAt }),
    );
    arrival?.[Symbol.dispose]();
    if (!isFirst && store.byToken(row.token)?.digest !== written.digest) {
      database.write(() => removals.add(storedName(row.token, written.digest)));
      throw alreadyThere();
    }
    await database.committed();
    return row;
  };
  /** Its parts are counted already. */
  const joinParts = async (row: UploadRow, parts: readonly UploadPart[]): Promise<Upload> => {
    const upload = await fill(row, landing.parts.read(row.token, parts));
    landing.parts.remove(row.token);
    return upload;
  };

  return {
    async write(secret, content) {
      const row = rowOf(secret);
      if (row.digest !== null) {
        if ((await digestOf(content, row.size ?? 0)) !== row.digest) throw alreadyThere();
        return row;
      }
      using arrival = arrive(row);
      return await fill(row, counted(content, arrival), arrival);
    },
    async writePart(secret, number, content) {
      const row = rowOf(secret);
      if (row.completedAt !== null) throw alreadyThere();
      using arrival = arrive(row);
      const part = await landing.parts.write(row.token, number, counted(content, arrival));
      database.write(() => hold(row.token, heldBy(...landing.parts.sizes(row.token))));
      return part;
    },
    async complete(secret, parts) {
      const row = rowOf(secret);
      if (row.completedAt !== null) return row;
      const joined = completing.get(secret) ?? joinParts(row, parts).finally(() => completing.delete(secret));
      completing.set(secret, joined);
      return await joined;
    },
  };
}

/** Undefined for what is larger. */
async function digestOf(content: Content, size: number): Promise<string | undefined> {
  const hasher = new Bun.CryptoHasher("sha256");
  let read = 0;
  for await (const chunk of content) {
    read += chunk.byteLength;
    if (read > size) return undefined;
    hasher.update(chunk);
  }
  return hasher.digest("hex");
}

async function* counted(content: Content, arrival: Arrival): Content {
  for await (const chunk of content) {
    arrival.grow(chunk.byteLength);
    yield chunk;
  }
}

const alreadyThere = () =>
  new ForecourtError("bad_request", "This upload is complete; begin another one for other content.");

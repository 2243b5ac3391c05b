// How much of the disk that all share a key may fill, by part: counted in the very writes that fill it and make it free.
import { ForecourtError } from "../../core/errors.ts";
import type { KeyId } from "../../core/ids.ts";
import { type Bytes, bytes, MIB } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createRoomStore, type Part } from "./room-store.ts";

/** What is on its way in and not counted yet. */
export type Arrival = Disposable & {
  /** Throws `room_full` once it does not fit. */
  grow(more: number): void;
};

export type Room = {
  limit: Bytes;
  taken(key: KeyId): Bytes;
  /** Throws `room_full` where so much does not fit. */
  require(key: KeyId, more: number): void;
  /** Inside a write. Throws `room_full`, which undoes that. */
  take(key: KeyId, more: number): void;
  /** Inside a write: what has arrived, which is not refused, or (below 0) what is there no more. */
  count(key: KeyId, change: number): void;
  arrive(key: KeyId): Arrival;
};

type RoomParts = {
  database: Pick<Database, "orm" | "sqlite">;
  part: Part;
  /** Infinite where there is none. */
  limit: Bytes;
  /** For errors: what fills it, which setting says how much it may be, and how some becomes free. */
  words: { what: string; setting: string; remedy: string | ((key: KeyId) => string) };
};

/** Of a setting in MiB whose 0 is no limit. */
export const roomOf = (mib: number) => bytes(mib === 0 ? Number.POSITIVE_INFINITY : mib * MIB);

export function createRoom({ database, part, limit, words }: RoomParts): Room {
  const store = createRoomStore(database, part);
  const arriving = new Map<KeyId, number>();
  const taken = (key: KeyId) => bytes(store.taken(key));
  const requireRoom = (key: KeyId, more: number) => {
    const filled = { taken: taken(key), arriving: arriving.get(key) ?? 0 };
    if (filled.taken + filled.arriving + more > limit) throw full({ ...filled, key, more, limit, words });
  };
  const count: Room["count"] = (key, change) => store.add(key, change);

  return {
    limit,
    taken,
    count,
    require: requireRoom,
    take(key, more) {
      requireRoom(key, more);
      count(key, more);
    },
    arrive(key) {
      let size = 0;
      const change = (by: number) => {
        size += by;
        const all = (arriving.get(key) ?? 0) + by;
        if (all > 0) arriving.set(key, all);
        else arriving.delete(key);
      };
      return {
        grow(more) {
          requireRoom(key, more);
          change(more);
        },
        [Symbol.dispose]: () => change(-size),
      };
    },
  };
}

type Full = { key: KeyId; taken: number; arriving: number; more: number; limit: Bytes; words: RoomParts["words"] };

function full({ key, taken, arriving, more, limit, words: { what, setting, remedy } }: Full): ForecourtError {
  const coming = arriving > 0 ? `, with ${mib(arriving)} MiB that are arriving,` : "";
  const filled = `${what} of this key take up ${mib(taken + arriving)}${coming} of the ${mib(limit)} MiB that they may (${setting})`;
  return new ForecourtError(
    "room_full",
    `${filled}; there is no room for ${mib(more)} MiB more. ${typeof remedy === "string" ? remedy : remedy(key)}`,
    {
      details: { limit, taken, arriving, needed: more },
    },
  );
}

/** Rounded down where something is left. */
const mib = (size: number) => (size > 0 && size < MIB / 100 ? "less than 0.01" : Math.floor((size / MIB) * 100) / 100);

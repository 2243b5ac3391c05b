// What batches take of the room of their keys: they themselves as long as they are told of, their lines until they have ended.
import type { KeyId } from "../../core/ids.ts";
import { asId } from "../../core/ids.ts";
import type { Bytes, Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createRoom } from "../rooms/room.ts";
import type { BatchRow, BatchStore, LineEnd, LineRow } from "./batch-store.ts";

export type Holding = {
  /** Inside a write, as all that do not give a promise. Throws `room_full`. */
  insert(row: Omit<BatchRow, "bytes">): void;
  insertLines(batch: Of, rows: readonly LineRow[]): void;
  /** False for a line that has ended. It is not refused: it was paid. */
  endLine(batch: Of, line: number, end: LineEnd): boolean;
  /** All of a batch. Resolves when they are gone. */
  removeLines(batch: Of): Promise<void>;
  removeEndedBefore(before: Instant): Promise<void>;
};

type Of = { id: string; key: KeyId };
type Parts = { store: BatchStore; database: Database; room: Bytes };

/** What a row takes besides its texts, in the table and its indexes. */
const ROW_BYTES = 512;
const ROWS_AT_ONCE = 500;

const words = {
  what: "The batches",
  setting: "storage.room_mb",
  remedy: "Wait until those that are under way have ended, or cancel some, or ask the operator for more room.",
};

export function createHolding({ store, database, room: limit }: Parts): Holding {
  const room = createRoom({ database, part: "batches", limit, words });
  return {
    insert(row) {
      const bytes = 2 * ROW_BYTES + Buffer.byteLength(row.metadata);
      room.take(asId<KeyId>(row.key), bytes);
      store.insert({ ...row, bytes });
    },
    insertLines({ key }, rows) {
      // A line has a row, and its jobs have some.
      const counted = rows.map((row) => ({ ...row, bytes: 2 * ROW_BYTES + Buffer.byteLength(row.customId) }));
      room.take(
        key,
        counted.reduce((sum, { bytes }) => sum + bytes, 0),
      );
      counted.forEach(store.insertLine);
    },
    endLine({ id, key }, line, end) {
      const bytes = Buffer.byteLength(end.result);
      const isFirst = store.endLine(id, line, { ...end, bytes });
      if (isFirst) room.count(key, bytes);
      return isFirst;
    },
    async removeLines({ id, key }) {
      const remove = () => {
        const removed = store.removeLines(id, ROWS_AT_ONCE);
        room.count(key, -removed.reduce((sum, { bytes }) => sum + bytes, 0));
        if (removed.length < ROWS_AT_ONCE) store.removeJobs(id);
        return removed.length;
      };
      while (database.write(remove) === ROWS_AT_ONCE) await database.committed();
    },
    async removeEndedBefore(before) {
      const remove = () => {
        const removed = store.removeEndedBefore(before, ROWS_AT_ONCE);
        for (const { key, bytes } of removed) room.count(asId<KeyId>(key), -bytes);
        return removed.length;
      };
      while (database.write(remove) === ROWS_AT_ONCE) await database.committed();
    },
  };
}

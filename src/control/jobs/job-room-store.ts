// The room that the finished jobs of a key take up, with what they were given, what they gave and their output files: who fills it
// asks for no more until some of that is over.
import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import { type Bytes, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { createRoom, roomOf } from "../rooms/room.ts";
import { jobTable } from "./job.table.ts";
import type { JobRow } from "./job-row.ts";

export type JobRoom = {
  /** Throws `room_full` for a key whose jobs take up all that they may. What a job will come to nobody knows: the last one may go beyond. */
  require(key: KeyId): void;
  /** Inside a write, as all that follow: the row with what it takes up, which is counted. */
  inserted(row: JobRow): JobRow;
  /** Of a job that came to its end with so much, its input among it. */
  ended(key: KeyId, held: number, inputBytes: number): void;
  /** Before that is gone. */
  freed(ids: JobId[], what: "all" | "payload" | "files"): void;
};

/**
 * What waits is counted only where it is large: of smaller inputs all that may wait together take up less than harms anyone, and
 * nearly every request would be written down twice.
 */
const LARGE_INPUT = 64 * 1024;

export const sizeOf = (...texts: (string | null)[]) =>
  texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0);

type Parts = { database: Pick<Database, "orm" | "sqlite">; limit?: Bytes; retention?: Milliseconds };

export function createJobRoom({ database, limit = roomOf(0), retention = milliseconds(0) }: Parts): JobRoom {
  const { orm } = database;
  const job = jobTable;
  const oldestOf = (key: KeyId) =>
    orm
      .select({ at: sql<number | null>`min(${job.finishedAt})` })
      .from(job)
      .where(and(eq(job.key, key), isNotNull(job.finishedAt)))
      .get()?.at;
  const remedy = (key: KeyId) => {
    const oldest = oldestOf(key);
    const next = typeof oldest === "number" ? ` the oldest on ${new Date(oldest + retention).toISOString()};` : "";
    return `They are removed after jobs.retention_days,${next} delete payloads that are no longer needed (DELETE /platform/v1/models/requests/{request_id}/payloads), or ask the operator for more room.`;
  };
  const room = createRoom({
    ...{ database, part: "jobs", limit },
    words: { what: "The requests with their results and files", setting: "jobs.room_mb", remedy },
  });
  const payload = sql`octet_length(${job.input}) + coalesce(octet_length(${job.output}), 0)`;
  const shares = {
    all: sql<number>`${job.held}`,
    payload: sql<number>`min(${job.held}, ${payload})`,
    files: sql<number>`max(0, ${job.held} - (${payload}))`,
  };
  return {
    require: (key) => room.require(key, 1),
    inserted(row) {
      const input = sizeOf(row.input);
      const held = row.finishedAt !== null ? input + sizeOf(row.output) + row.held : input > LARGE_INPUT ? input : 0;
      if (held > 0) room.count(asId<KeyId>(row.key), held);
      return { ...row, held };
    },
    ended: (key, held, inputBytes) => room.count(key, held - (inputBytes > LARGE_INPUT ? inputBytes : 0)),
    freed(ids, what) {
      const isOne = inArray(job.id, ids);
      const share = shares[what];
      const sums = orm
        .select({ key: job.key, sum: sql<number>`sum(${share})` })
        .from(job)
        .where(isOne)
        .groupBy(job.key)
        .all();
      for (const { key, sum } of sums) if (sum > 0) room.count(asId<KeyId>(key), -sum);
      orm
        .update(job)
        .set({ held: sql`${job.held} - ${share}` })
        .where(isOne)
        .run();
    },
  };
}

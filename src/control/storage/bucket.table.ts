// Tables of what lies in the bucket, as far as this box put it there. Only this folder touches them.
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const bucketObjectTable = sqliteTable(
  "bucket_object",
  {
    /** Path of the file, without the bucket's prefix. Written before the file is sent. */
    name: text().primaryKey(),
    /** By which what was sent in parts and not joined is given up; "" before the store has told it, null where there is nothing. */
    parts: text(),
  },
  (table) => [index("bucket_object_parts").on(table.name).where(sql`parts is not null`)],
);

/** Buckets whose files were all written down, those too that came there before this box did so. */
export const bucketStockTable = sqliteTable("bucket_stock", {
  /** For people, with the prefix. */
  place: text().primaryKey(),
  takenAt: integer("taken_at").notNull(),
});

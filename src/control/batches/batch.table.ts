// Tables of batches: many requests of one file, their lines and the jobs that carry them out. Only this folder touches them.
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** In the index's own words: see job.table.ts. */
export const isOpen = sql`ended_at is null`;

export const batchTable = sqliteTable(
  "batch",
  {
    /** Ordered by time. */
    id: text().primaryKey(),
    key: text().notNull(),
    /** What all its lines call. */
    endpoint: text().notNull(),
    /** Token of an upload. */
    input: text().notNull(),
    /** JSON: the caller's own marks, by name. */
    metadata: text().notNull(),
    /** What URLs in its answers begin with. */
    origin: text().notNull(),
    status: text({
      enum: ["validating", "in_progress", "finalizing", "cancelling", "failed", "completed", "expired", "cancelled"],
    }).notNull(),
    /** Milliseconds that its files are kept; null is for ever. */
    keepFor: integer("keep_for"),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    begunAt: integer("begun_at"),
    finalizingAt: integer("finalizing_at"),
    cancellingAt: integer("cancelling_at"),
    endedAt: integer("ended_at"),
    /** JSON: what is wrong with its file. */
    problems: text(),
    /** Tokens of uploads, which are there when it has ended. */
    output: text(),
    errors: text(),
    /** Of its first line. */
    model: text(),
    total: integer().notNull().default(0),
    done: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    /** Of the answers of what was done; null for batches from before they were counted. */
    inputTokens: integer("input_tokens"),
    cachedTokens: integer("cached_tokens"),
    outputTokens: integer("output_tokens"),
    /** Of its key's room, without its lines. */
    bytes: integer().notNull(),
  },
  (table) => [
    index("batch_by_key").on(table.key, table.id),
    index("batch_open").on(table.id).where(isOpen),
    index("batch_ended").on(table.endedAt).where(sql`ended_at is not null`),
  ],
);

export const batchLineTable = sqliteTable(
  "batch_line",
  {
    batch: text()
      .notNull()
      .references(() => batchTable.id, { onDelete: "cascade" }),
    line: integer().notNull(),
    customId: text("custom_id").notNull(),
    /** Where in the file it is, in bytes. */
    start: integer().notNull(),
    end: integer().notNull(),
    /** Null while it is open. */
    isDone: integer("is_done", { mode: "boolean" }),
    /** What is written of it. */
    result: text(),
    /** Of its key's room. */
    bytes: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.batch, table.line] }),
    index("batch_line_open").on(table.batch, table.line).where(sql`is_done is null`),
  ],
);

export const batchJobTable = sqliteTable(
  "batch_job",
  {
    batch: text()
      .notNull()
      .references(() => batchTable.id, { onDelete: "cascade" }),
    line: integer().notNull(),
    /** Of several jobs of a line. */
    nth: integer().notNull(),
    job: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.batch, table.line, table.nth] })],
);

// Tables of jobs and of the log lines shown to their callers. Only this folder touches them.
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * Jobs that wait or run. SQLite takes the index of them, and does not read all that are over, only for a query that says it in the
 * index's own words: not where the two are parameters.
 */
export const isOpen = sql`status in ('queued', 'running')`;

export const jobTable = sqliteTable(
  "job",
  {
    id: text().primaryKey(),
    model: text().notNull(),
    endpoint: text().notNull(),
    key: text().notNull(),
    /** JSON, as checked: defaults filled in. */
    input: text().notNull(),
    priority: text({ enum: ["normal", "low"] }).notNull(),
    status: text({ enum: ["queued", "running", "done", "failed", "cancelled"] }).notNull(),
    attempts: integer().notNull().default(0),
    retries: integer().notNull(),
    /** Deaths of its runner by SIGKILL, of its runner by a fault, and of the server, while it ran. */
    kills: integer().notNull().default(0),
    crashes: integer().notNull().default(0),
    interruptions: integer().notNull().default(0),
    /** Attempts that the model itself ended with an error, or that ran too long, and that were repeated on the caller's wish. */
    errors: integer().notNull().default(0),
    timeouts: integer().notNull().default(0),
    /** The caller asked a running job to end. */
    cancelRequested: integer("cancel_requested", { mode: "boolean" }).notNull().default(false),
    files: text().notNull(),
    /** Who may read the output files (JSON of acl.ts; null is anyone), and for how many milliseconds after the end. */
    filesAcl: text("files_acl"),
    filesKeepFor: integer("files_keep_for"),
    filesUntil: integer("files_until"),
    /** False: input and output are forgotten soon after the end. */
    keepsPayload: integer("keeps_payload", { mode: "boolean" }).notNull().default(true),
    payloadUntil: integer("payload_until"),
    /** JSON: the caller's own marks for its costs, by name. */
    tags: text(),
    /** JSON of `Wishes` in core/job.ts. */
    wishes: text(),
    /** JSON of the accounts' `Price`: what it pays by, as it was admitted. Null for what is not billed itself. */
    price: text(),
    createdAt: integer("created_at").notNull(),
    startBy: integer("start_by"),
    runner: text(),
    startedAt: integer("started_at"),
    finishedAt: integer("finished_at"),
    /** JSON. */
    output: text(),
    units: text(),
    timing: text(),
    failure: text(),
    device: text(),
    /** Of its key's room, in bytes: see job-room-store.ts. */
    held: integer().notNull().default(0),
  },
  (table) => [
    index("job_open").on(table.status, table.createdAt).where(isOpen),
    index("job_finished").on(table.finishedAt).where(sql`finished_at is not null`),
    index("job_payload_until").on(table.payloadUntil).where(sql`payload_until is not null`),
    index("job_files_until").on(table.filesUntil).where(sql`files_until is not null`),
    index("job_files_guarded").on(table.files).where(sql`files_acl is not null or files_keep_for is not null`),
    index("job_files_made").on(table.files).where(sql`instr(output, 'forecourt-file:') > 0`),
    // As they are asked for: those that ended in a time. What ends comes last among its key's, where an index grows without being rebuilt.
    index("job_by_key").on(table.key, table.finishedAt).where(sql`finished_at is not null`),
  ],
);

export const jobLogTable = sqliteTable(
  "job_log",
  {
    job: text()
      .notNull()
      .references(() => jobTable.id, { onDelete: "cascade" }),
    line: integer().notNull(),
    at: integer().notNull(),
    level: text({ enum: ["INFO", "WARN", "ERROR", "DEBUG"] }).notNull(),
    message: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.job, table.line] })],
);

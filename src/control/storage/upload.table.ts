// Table of uploaded files. Only this folder touches it; the bytes lie in <data>/uploads.
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const uploadTable = sqliteTable(
  "upload",
  {
    /** 128 random bits in base64url; part of the file's URL. */
    token: text().primaryKey(),
    /** Likewise; whoever knows it may send the content. */
    secret: text().notNull().unique(),
    key: text().notNull(),
    /** Last part of the file's URL. */
    name: text().notNull(),
    /** As the uploader called it. */
    originalName: text("original_name").notNull(),
    contentType: text("content_type").notNull(),
    /** What OpenAI's clients say that it is for; null for files of others. */
    purpose: text(),
    /** Who may read it: JSON of acl.ts. */
    acl: text().notNull(),
    createdAt: integer("created_at").notNull(),
    /** Milliseconds that the file is kept once it is complete; null is for ever. */
    keepFor: integer("keep_for"),
    expiresAt: integer("expires_at"),
    /** Null until the content is complete. */
    completedAt: integer("completed_at"),
    size: integer(),
    /** SHA-256 of the content, hexadecimal. */
    digest: text(),
    /** Of its key's room: for the file as a whole, or for its parts so far. */
    held: integer().notNull().default(0),
  },
  (table) => [
    index("upload_expiring").on(table.expiresAt).where(sql`expires_at is not null`),
    index("upload_by_key").on(table.key, table.createdAt, table.token).where(sql`completed_at is not null`),
    index("upload_open").on(table.createdAt).where(sql`completed_at is null`),
  ],
);

// Table of API keys: hashes of secrets, never secrets.
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const keyTable = sqliteTable(
  "api_key",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    scope: text({ enum: ["api", "admin", "metrics"] }).notNull(),
    /** Who shares limits, prices and reports with other keys. */
    team: text(),
    /** For people: whom to ask. */
    owner: text(),
    /** JSON: patterns of model ids that it may use; null is all. */
    models: text(),
    /** JSON: what it may do of all that its scope allows; null is everything. */
    permissions: text(),
    /** SHA-256 of the secret, hexadecimal. */
    hash: text().notNull(),
    /** Of the secret before the last rotation, and until when that one is good too. */
    previousHash: text("previous_hash"),
    previousUntil: integer("previous_until"),
    rotatedAt: integer("rotated_at"),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
    revokedAt: integer("revoked_at"),
    lastUsedAt: integer("last_used_at"),
  },
  (table) => [index("api_key_in_force").on(table.expiresAt).where(sql`revoked_at is null`)],
);

/** What of a key an older copy of the table may not bring back unsaid: whom it lets in, and to what. */
export const SECURING_COLUMNS = {
  table: "api_key",
  name: "name",
  columns: ["scope", "models", "permissions", "hash", "expires_at", "revoked_at"],
} as const;

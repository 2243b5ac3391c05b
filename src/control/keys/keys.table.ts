// Table of API keys: hashes of secrets, never secrets.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const keyTable = sqliteTable("api_key", {
  id: text().primaryKey(),
  name: text().notNull(),
  scope: text({ enum: ["api", "admin", "metrics"] }).notNull(),
  /** SHA-256 of the secret, hexadecimal. */
  hash: text().notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at"),
  revokedAt: integer("revoked_at"),
  lastUsedAt: integer("last_used_at"),
});

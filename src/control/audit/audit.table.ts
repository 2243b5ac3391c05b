// Table of administrative acts. Rows are only ever added: triggers of the migration refuse changes and deletions.
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const auditTable = sqliteTable(
  "audit_entry",
  {
    id: text().primaryKey(),
    at: integer().notNull(),
    /** Id of the key, or `os:<account>` of a command. */
    actor: text().notNull(),
    /** Address of the caller with what a proxy said of it, or the name of the machine. */
    origin: text().notNull(),
    /** `POST /admin/v1/keys` or `forecourt keys create`. */
    action: text().notNull(),
    /** JSON: what it was about; never secrets. */
    details: text().notNull(),
    outcome: text({ enum: ["done", "refused", "failed"] }).notNull(),
    /** Status of the answer, or exit code of the command. */
    code: integer().notNull(),
    requestId: text("request_id"),
  },
  (table) => [index("audit_by_actor").on(table.actor, table.id)],
);

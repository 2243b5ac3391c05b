// Table of new revisions of models' weights that were tried, and what came of each. Only this folder touches it.
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const updateTable = sqliteTable(
  "model_update",
  {
    id: text().primaryKey(),
    model: text().notNull(),
    repo: text().notNull(),
    /** Commits, 40 hex digits. */
    from: text().notNull(),
    to: text().notNull(),
    /** `failed`: the model stayed with `from`. */
    state: text({ enum: ["installed", "failed"] }).notNull(),
    /** Of a failure. */
    reason: text(),
    at: integer().notNull(),
  },
  (table) => [index("update_by_model").on(table.model, table.id)],
);

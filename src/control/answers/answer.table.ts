// Table of answers that are given again to a request that is sent again. Only this folder touches it.
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const answerTable = sqliteTable(
  "answer",
  {
    /** Digest of who asked what under which Idempotency-Key. */
    id: text().primaryKey(),
    /** Digest of all else that decided the answer. */
    content: text().notNull(),
    /** The answer, sealed: some tell a secret that is stored nowhere else. */
    sealed: text().notNull(),
    until: integer().notNull(),
  },
  (table) => [index("answer_until").on(table.until)],
);

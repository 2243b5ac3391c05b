// Tables of what accounts may spend and pay: limits of a key, team or model, and prices other than the models' own.
import { primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const accountTable = sqliteTable(
  "account",
  {
    kind: text({ enum: ["key", "team", "model"] }).notNull(),
    id: text().notNull(),
    /** JSON of `Limits`. */
    limits: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.id] })],
);

export const priceTable = sqliteTable(
  "price_override",
  {
    /** `key:<id>`, `team:<name>` or `all`. */
    holder: text().notNull(),
    /** A pattern of model ids. */
    model: text().notNull(),
    /** JSON of `Price`. */
    price: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.holder, table.model] })],
);

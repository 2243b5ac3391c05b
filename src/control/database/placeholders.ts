// Placeholders for prepared statements that write whole rows.
import { type Placeholder, sql } from "drizzle-orm";

/** One placeholder for each column, named like it. */
export const placeholders = <Columns extends Record<string, unknown>>(columns: Columns) =>
  Object.fromEntries(Object.keys(columns).map((name) => [name, sql.placeholder(name)])) as {
    [Name in keyof Columns]: Placeholder; // Object.fromEntries forgets the names
  };

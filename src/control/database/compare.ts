// What a database has that an earlier copy of it has not.
import { Database as Sqlite } from "bun:sqlite";

export type Added = { table: string; rows: number };

/** Columns of a table, by which a row counts as changed, and the one that names it to people. */
export type Watched = { table: string; columns: readonly string[]; name: string };

type Names = { name: string }[];

/**
 * `added`: of every table with rows that the copy lacks, how many, most first. `changed`: names of the watched table's rows that the copy
 * has otherwise. Both files are only read; tables and columns that the copy does not have yet count as added, or not at all.
 */
export function compareDatabases(places: { file: string; copy: string }, watched: Watched) {
  using sqlite = new Sqlite(places.file, { readonly: true, strict: true });
  sqlite.query("ATTACH ? AS earlier").run(places.copy);
  const tablesOf = (schema: "main" | "earlier") =>
    sqlite
      .query<{ name: string }, []>(
        `SELECT name FROM ${schema}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
      )
      .all()
      .map(({ name }) => name);
  const known = new Set(tablesOf("earlier"));
  const columnsOf = (schema: "main" | "earlier", table: string, where = "") =>
    sqlite
      .query<Names[number], [string, string]>(`SELECT name FROM pragma_table_info(?, ?) ${where}`)
      .all(table, schema)
      .map(({ name }) => name);
  const addedTo = (table: string): Added => {
    const keys = columnsOf("main", table, "WHERE pk > 0 ORDER BY pk").map(quoted);
    const key = keys.length > 0 ? keys.join(", ") : "rowid";
    const without = known.has(table) ? `WHERE (${key}) NOT IN (SELECT ${key} FROM earlier.${quoted(table)})` : "";
    const sql = `SELECT count(*) AS rows FROM main.${quoted(table)} ${without}`;
    return { table, rows: sqlite.query<{ rows: number }, []>(sql).get()?.rows ?? 0 };
  };
  const changedIn = ({ table, columns, name }: Watched): string[] => {
    if (!known.has(table)) return [];
    const shared = new Set(columnsOf("earlier", table));
    const [key = "rowid"] = columnsOf("main", table, "WHERE pk = 1").map(quoted);
    const differs = columns
      .filter((column) => shared.has(column))
      .map(quoted)
      .map((column) => `now.${column} IS NOT earlier.${column}`);
    if (differs.length === 0) return [];
    const sql = `SELECT now.${quoted(name)} AS name FROM main.${quoted(table)} AS now JOIN earlier.${quoted(table)} AS earlier
      ON now.${key} = earlier.${key} WHERE ${differs.join(" OR ")} ORDER BY 1`;
    return sqlite
      .query<Names[number], []>(sql)
      .all()
      .map((row) => row.name);
  };
  const added = tablesOf("main").map(addedTo);
  return {
    added: added.filter(({ rows }) => rows > 0).sort((a, b) => b.rows - a.rows),
    changed: changedIn(watched),
  };
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

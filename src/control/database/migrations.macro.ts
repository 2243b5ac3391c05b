// Runs while bundling: the SQL files of migrations/ become part of the program.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `version` is the value of `PRAGMA user_version` once it is applied. */
export type Migration = { version: number; name: string; sql: string };

export function migrationFiles(): Migration[] {
  const folder = join(import.meta.dir, "migrations");
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name, index) => ({
    version: index + 1,
    name,
    sql: readFileSync(join(folder, name), "utf8"),
  }));
}

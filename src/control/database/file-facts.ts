// What a database's file tells of itself, read beside whoever has it open.
import { Database as Sqlite } from "bun:sqlite";

export type DatabaseFacts = {
  bytes: number;
  /** Of rows that are gone: taken by later ones, or given back. */
  unusedBytes: number;
  /** False for one that was made before databases gave anything back (shrink.ts). */
  canShrink: boolean;
  /** Its schema's number. */
  schema: number;
};

/** Undefined for a file that is not there, or cannot be read by this account. Changes nothing. */
export function databaseFacts(file: string): DatabaseFacts | undefined {
  try {
    using sqlite = new Sqlite(file, { readonly: true, strict: true });
    const read = (name: string) => sqlite.query<Record<string, number>, []>(`PRAGMA ${name}`).get()?.[name] ?? 0;
    const page = read("page_size");
    return {
      bytes: page * read("page_count"),
      unusedBytes: page * read("freelist_count"),
      canShrink: read("auto_vacuum") !== 0,
      schema: read("user_version"),
    };
  } catch {
    return undefined; // what is wrong with it is told by who needs it
  }
}

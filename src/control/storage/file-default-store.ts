// How long the files of a key are kept and who may read them, where a request says nothing of it.
import { eq } from "drizzle-orm";
import type { KeyId } from "../../core/ids.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import { createMirror } from "../database/mirror.ts";
import type { Database } from "../database/open.ts";
import { type Acl, type Lifecycle, OPEN } from "./acl.ts";
import { fileDefaultTable } from "./file-default.table.ts";

export type FileDefault = { acl?: Acl; keepFor?: Milliseconds };

export type FileDefaults = {
  get(key: KeyId): FileDefault;
  /** Undefined where the key wants nothing of its own. From memory: every request asks. */
  lifecycleOf(key: KeyId): Lifecycle | undefined;
  /** For files that come from now on; an empty one is forgotten. Resolves when that is on disk. */
  set(key: KeyId, wanted: FileDefault): Promise<void>;
};

export function createFileDefaults(database: Database): FileDefaults {
  const { orm, write, committed } = database;
  const mirror = createMirror(database, () => {
    const rows = orm.select().from(fileDefaultTable).all();
    return new Map(rows.map(({ key, ...row }) => [key, defaultOf(row)]));
  });
  return {
    get: (key) => mirror.get().get(key) ?? {},
    lifecycleOf(key) {
      const known = mirror.get().get(key);
      return known && { acl: known.acl ?? OPEN, ...(known.keepFor !== undefined && { keepFor: known.keepFor }) };
    },
    async set(key, { acl, keepFor }) {
      const row = { acl: acl ? JSON.stringify(acl) : null, keepFor: keepFor ?? null };
      write(() => {
        if (!acl && keepFor === undefined)
          return orm.delete(fileDefaultTable).where(eq(fileDefaultTable.key, key)).run();
        const target = fileDefaultTable.key;
        return orm
          .insert(fileDefaultTable)
          .values({ key, ...row })
          .onConflictDoUpdate({ target, set: row })
          .run();
      });
      mirror.forget();
      await committed();
    },
  };
}

/** As set() wrote it. */
const defaultOf = ({ acl, keepFor }: { acl: string | null; keepFor: number | null }): FileDefault => ({
  ...(acl !== null && { acl: JSON.parse(acl) as Acl }),
  ...(keepFor !== null && { keepFor: milliseconds(keepFor) }),
});

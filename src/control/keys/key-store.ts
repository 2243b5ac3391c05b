// What is written of keys. All of it holds from the moment of return, power cut or not.
import { and, eq } from "drizzle-orm";
import type { KeyId } from "../../core/ids.ts";
import type { Database } from "../database/open.ts";
import type { Key } from "./key.ts";
import { keyTable } from "./keys.table.ts";
import type { KnownKeys } from "./known-keys.ts";

type Row = typeof keyTable.$inferInsert;

export type KeyStore = {
  /** `also` writes into the same transaction. Throws `unavailable`, as `set` does, when it could not be written. */
  insert(key: Key, hash: string, also: () => void): void;
  /** `still`: unless the key has another secret by now. */
  set(id: KeyId, changed: Partial<Row>, still?: Pick<Row, "hash">): void;
};

export function createKeyStore({ orm, write, flush }: Database, known: KnownKeys): KeyStore {
  const change = (id: KeyId, act: () => void) => {
    try {
      write(act);
      flush();
    } catch (error) {
      known.forget();
      throw error;
    }
    known.changed(id);
  };
  return {
    insert: (key, hash, also) =>
      change(key.id, () => {
        const models = key.models ? JSON.stringify(key.models) : null;
        const permissions = key.permissions ? JSON.stringify(key.permissions) : null;
        orm
          .insert(keyTable)
          .values({ ...key, models, permissions, hash })
          .run();
        also();
      }),
    set: (id, changed, still) =>
      change(id, () =>
        orm
          .update(keyTable)
          .set(changed)
          .where(and(eq(keyTable.id, id), still && eq(keyTable.hash, still.hash)))
          .run(),
      ),
  };
}

// A table in memory, as fresh as the database: who checks a request must not wait for a query.
import type { Database } from "./open.ts";

export type Mirror<T> = {
  /** Another object than before whenever the table was read again. */
  get(): T;
  /** After a change through this connection: the next look reads the table. */
  forget(): void;
};

/** `read` is called at the first look, and again after any other process's commit. */
export function createMirror<T>({ changes }: Pick<Database, "changes">, read: () => T): Mirror<T> {
  let held: { version: number; value: T } | undefined;
  return {
    get() {
      const version = changes();
      if (held?.version !== version) held = { version, value: read() };
      return held.value;
    },
    forget() {
      held = undefined;
    },
  };
}

// Every SQL statement about updates of models.
import { and, desc, eq } from "drizzle-orm";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { updateTable } from "./update.table.ts";

export type Update = {
  model: string;
  repo: string;
  /** Commits, 40 hex digits. */
  from: string;
  to: string;
  at: Instant;
} & ({ state: "installed" } | { state: "failed"; reason: string });

export type UpdateStore = {
  add(update: Update): void;
  /** Latest first; with `repo`, those of that repository alone. */
  list(model: string, of?: { repo?: string; limit?: number }): Update[];
};

const SHOWN = 20;

export function createUpdateStore({ orm, write }: Pick<Database, "orm" | "write">): UpdateStore {
  return {
    add: (update) =>
      write(() => {
        orm
          .insert(updateTable)
          .values({ id: Bun.randomUUIDv7(), ...update })
          .run();
      }),
    list: (model, { repo, limit = SHOWN } = {}) =>
      orm
        .select()
        .from(updateTable)
        .where(and(eq(updateTable.model, model), repo === undefined ? undefined : eq(updateTable.repo, repo)))
        .orderBy(desc(updateTable.id))
        .limit(limit)
        .all()
        .map(({ id: _, state, reason, at, ...row }) => ({
          ...row,
          at: instant(at),
          ...(state === "failed" ? { state, reason: reason ?? "" } : { state }),
        })),
  };
}

// SQL about files that are to be removed. Callers hold a transaction for changes: see group-commit.ts.
import { asc, eq, gt, lte, or, sql } from "drizzle-orm";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { statement } from "../database/statement.ts";
import { removalTable } from "./removal.table.ts";

export type Removal = { name: string; attempts: number };

export type RemovalStore = {
  /** What is there already stays as it is. */
  add(name: string, at: Instant): void;
  has(name: string): boolean;
  /** Due by `now`, or later than `beyond`: a clock that was set back must not put them off. */
  due(at: { now: Instant; beyond: Instant }, limit: number): Removal[];
  nextDueAt(): Instant | undefined;
  putOff(removal: Removal, to: Instant): void;
  done(name: string): void;
};

export function createRemovalStore({ orm, sqlite }: Pick<Database, "orm" | "sqlite">): RemovalStore {
  const removal = removalTable;
  const { name, attempts, dueAt } = removal;
  const given = { name: sql.placeholder("name"), at: sql.placeholder("at") };
  const isNamed = eq(name, given.name);
  const added = orm.insert(removal).values({ name: given.name, dueAt: given.at, attempts: 0 }).onConflictDoNothing();
  const add = statement(sqlite, added);
  const find = statement(sqlite, orm.select({ name }).from(removal).where(isNamed), { name });
  const done = statement(sqlite, orm.delete(removal).where(isNamed));
  return {
    add: (added, at) => add.run({ name: added, at }),
    has: (wanted) => find.get({ name: wanted }) !== undefined,
    due: ({ now, beyond }, limit) =>
      orm
        .select({ name, attempts })
        .from(removal)
        .where(or(lte(dueAt, now), gt(dueAt, beyond)))
        .limit(limit)
        .all(),
    nextDueAt() {
      const found = orm.select({ dueAt }).from(removal).orderBy(asc(dueAt)).limit(1).get();
      return found && instant(found.dueAt);
    },
    putOff: (put, to) => {
      orm
        .update(removal)
        .set({ attempts: put.attempts + 1, dueAt: to })
        .where(eq(name, put.name))
        .run();
    },
    done: (removed) => done.run({ name: removed }),
  };
}

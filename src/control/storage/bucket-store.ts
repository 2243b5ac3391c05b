// SQL about what lies in the bucket. Callers hold a transaction for changes: see group-commit.ts.
import { and, eq, gt, isNotNull, isNull, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { statement } from "../database/statement.ts";
import { bucketObjectTable, bucketStockTable } from "./bucket.table.ts";

export type BucketStore = {
  add(name: string): void;
  /** Unless parts of it are still to be given up. */
  remove(name: string): void;
  /** The file of that name, or those in the folder. */
  below(name: string): string[];
  /** See bucket.table.ts. */
  setParts(name: string, parts: string | null): void;
  partsOf(name: string): string | undefined;
  /** All whose parts were not joined. */
  inParts(): string[];
  /** Was stock taken of the bucket since? */
  isTaken(place: string, since: Instant): boolean;
  setTaken(place: string, at: Instant): void;
};

export function createBucketStore({ orm, sqlite }: Pick<Database, "orm" | "sqlite">): BucketStore {
  const [object, stock] = [bucketObjectTable, bucketStockTable];
  const { name } = object;
  const [given, end] = [sql.placeholder("name"), sql.placeholder("end")];
  const add = statement(sqlite, orm.insert(object).values({ name: given }).onConflictDoNothing());
  const remove = statement(sqlite, orm.delete(object).where(and(eq(name, given), isNull(object.parts))));
  const inFolder = and(sql`${name} > ${sql.placeholder("start")}`, sql`${name} < ${end}`);
  const file = statement(sqlite, orm.select({ name }).from(object).where(eq(name, given)), { name });
  const folder = statement(sqlite, orm.select({ name }).from(object).where(inFolder), { name });
  return {
    add: (added) => add.run({ name: added }),
    remove: (removed) => remove.run({ name: removed }),
    // "0" is what comes after "/".
    below: (wanted) =>
      [...file.all({ name: wanted }), ...folder.all({ start: `${wanted}/`, end: `${wanted}0` })].map((row) => row.name),
    setParts: (wanted, parts) => {
      orm.update(object).set({ parts }).where(eq(name, wanted)).run();
    },
    partsOf: (wanted) =>
      orm.select({ parts: object.parts }).from(object).where(eq(name, wanted)).get()?.parts ?? undefined,
    inParts: () =>
      orm
        .select({ name })
        .from(object)
        .where(isNotNull(object.parts))
        .all()
        .map((row) => row.name),
    isTaken: (place, since) =>
      orm
        .select({ place: stock.place })
        .from(stock)
        .where(and(eq(stock.place, place), gt(stock.takenAt, since)))
        .get() !== undefined,
    setTaken: (place, takenAt) => {
      orm.insert(stock).values({ place, takenAt }).onConflictDoUpdate({ target: stock.place, set: { takenAt } }).run();
    },
  };
}

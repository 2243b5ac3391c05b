// SQL about batches, their lines and their jobs. Callers of what changes something hold a transaction.
import { and, asc, count, desc, eq, exists, gt, inArray, isNotNull, isNull, lt, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { batchJobTable, batchLineTable, batchTable, isOpen } from "./batch.table.ts";

export type BatchRow = typeof batchTable.$inferSelect;
export type LineRow = typeof batchLineTable.$inferSelect;
/** Tokens: of the prompt all, and those that were computed before; of the answer. */
export type LineUsage = { input: number; cached: number; output: number };
export type LineEnd = { isDone: boolean; result: string; usage?: LineUsage };
type Kept = { key: string; bytes: number };

export type BatchStore = ReturnType<typeof createBatchStore>;

export function createBatchStore({ orm }: Pick<Database, "orm">) {
  const batch = batchTable;
  return {
    ...lineStore(orm),
    ...jobStore(orm),
    insert: (row: BatchRow) => {
      orm.insert(batch).values(row).run();
    },
    find: (id: string): BatchRow | undefined => orm.select().from(batch).where(eq(batch.id, id)).get(),
    change: (id: string, change: Partial<BatchRow>) => {
      orm.update(batch).set(change).where(eq(batch.id, id)).run();
    },
    /** The latest first. */
    list: (key: string, { after, limit }: { after?: string | undefined; limit: number }): BatchRow[] =>
      orm
        .select()
        .from(batch)
        .where(and(eq(batch.key, key), after === undefined ? undefined : lt(batch.id, after)))
        .orderBy(desc(batch.id))
        .limit(limit)
        .all(),
    /** The oldest first. */
    open: (): BatchRow[] => orm.select().from(batch).where(isOpen).orderBy(asc(batch.id)).all(),
    openOf: (key: string): number =>
      orm
        .select({ many: count() })
        .from(batch)
        .where(and(eq(batch.key, key), isOpen))
        .get()?.many ?? 0,
    removeEndedBefore(before: Instant, most: number): Kept[] {
      const ended = and(isNotNull(batch.endedAt), lt(batch.endedAt, before));
      const old = orm.select({ id: batch.id }).from(batch).where(ended).limit(most);
      return orm.delete(batch).where(inArray(batch.id, old)).returning({ key: batch.key, bytes: batch.bytes }).all();
    },
  };
}

function lineStore(orm: Database["orm"]) {
  const of = batchLineTable;
  const inOrder = asc(of.line);
  return {
    insertLine: (row: LineRow) => {
      orm.insert(of).values(row).run();
    },
    /** Those after `after`, in order; with `isDone` those that ended so, without those that are open. */
    lines: (batch: string, { after, isDone, limit }: { after: number; isDone?: boolean; limit: number }): LineRow[] =>
      orm
        .select()
        .from(of)
        .where(
          and(
            eq(of.batch, batch),
            isDone === undefined ? isNull(of.isDone) : eq(of.isDone, isDone),
            gt(of.line, after),
          ),
        )
        .orderBy(inOrder)
        .limit(limit)
        .all(),
    /** False for one that has ended, or is there no more. */
    endLine(batch: string, line: number, { isDone, result, usage, bytes }: LineEnd & { bytes: number }): boolean {
      const place = and(eq(of.batch, batch), eq(of.line, line), isNull(of.isDone));
      const change = { isDone, result, bytes: sql`${of.bytes} + ${bytes}` };
      if (!orm.update(of).set(change).where(place).returning({ line: of.line }).get()) return false;
      const { done, failed, inputTokens, cachedTokens, outputTokens } = batchTable;
      const counted = {
        ...(isDone ? { done: sql`${done} + 1` } : { failed: sql`${failed} + 1` }),
        ...(usage && {
          inputTokens: sql`${inputTokens} + ${usage.input}`,
          cachedTokens: sql`${cachedTokens} + ${usage.cached}`,
          outputTokens: sql`${outputTokens} + ${usage.output}`,
        }),
      };
      orm.update(batchTable).set(counted).where(eq(batchTable.id, batch)).run();
      return true;
    },
    /** What was removed was counted with so much. */
    removeLines(batch: string, most: number): { bytes: number }[] {
      const some = orm.select({ line: of.line }).from(of).where(eq(of.batch, batch)).limit(most);
      return orm
        .delete(of)
        .where(and(eq(of.batch, batch), inArray(of.line, some)))
        .returning({ bytes: of.bytes })
        .all();
    },
    /** Batches that have ended and have lines still. */
    endedWithLines(): { id: string; key: string }[] {
      const { id, key, endedAt } = batchTable;
      const some = orm.select({ line: of.line }).from(of).where(eq(of.batch, id));
      return orm
        .select({ id, key })
        .from(batchTable)
        .where(and(isNotNull(endedAt), exists(some)))
        .all();
    },
  };
}

function jobStore(orm: Database["orm"]) {
  const of = batchJobTable;
  return {
    jobOf: (batch: string, line: number, nth: number): string | undefined =>
      orm
        .select({ job: of.job })
        .from(of)
        .where(and(eq(of.batch, batch), eq(of.line, line), eq(of.nth, nth)))
        .get()?.job,
    noteJob: (row: typeof of.$inferInsert) => {
      orm.insert(of).values(row).run();
    },
    /** Of lines that are open. */
    openJobs: (batch: string): string[] =>
      orm
        .select({ job: of.job })
        .from(of)
        .innerJoin(batchLineTable, and(eq(batchLineTable.batch, of.batch), eq(batchLineTable.line, of.line)))
        .where(and(eq(of.batch, batch), isNull(batchLineTable.isDone)))
        .all()
        .map(({ job }) => job),
    removeJobs: (batch: string) => {
      orm.delete(of).where(eq(of.batch, batch)).run();
    },
  };
}

// SQL about conversations, their items and their turns. Callers of what changes something hold a transaction.
import { and, asc, eq, inArray, isNotNull, lt, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { conversationItemTable, conversationTable } from "./conversation.table.ts";

type ConversationRow = typeof conversationTable.$inferSelect;
type EntryRow = typeof conversationItemTable.$inferSelect;
/** What is removed was counted with so much. */
type Removed<Of extends string> = Record<Of, string> & { bytes: number };

export type ConversationStore = {
  insert(row: ConversationRow): void;
  find(id: string): ConversationRow | undefined;
  change(id: string, change: Partial<ConversationRow>): void;
  remove(id: string): Removed<"key">[];
  /** In order. */
  items(id: string): string[];
  /** Those that are not over, in order. */
  turns(id: string): Pick<EntryRow, "place" | "job" | "asked">[];
  /** One of any conversation, and whose that is. */
  findItem(item: string): { item: string; conversation: string; key: string } | undefined;
  conversationOf(job: string): string | undefined;
  nextPlace(id: string): number;
  insertEntry(row: typeof conversationItemTable.$inferInsert): void;
  /** What it was counted with; undefined when it is not there. */
  turnBytes(id: string, place: number): number | undefined;
  endTurn(id: string, place: number, bytes: number): void;
  removeTurn(id: string, place: number): void;
  removeItem(id: string, item: string): Removed<"conversation">[];
  removeEntriesBefore(before: Instant, most: number): Removed<"conversation">[];
  removeUnusedSince(before: Instant, most: number): Removed<"key">[];
};

export function createConversationStore({ orm }: Pick<Database, "orm">): ConversationStore {
  const conversation = conversationTable;
  const { id, key, bytes, usedAt } = conversation;
  return {
    ...entryStore(orm),
    insert: (made) => {
      orm.insert(conversation).values(made).run();
    },
    find: (wanted) => orm.select().from(conversation).where(eq(id, wanted)).get(),
    change: (changed, change) => {
      orm.update(conversation).set(change).where(eq(id, changed)).run();
    },
    remove: (removed) => orm.delete(conversation).where(eq(id, removed)).returning({ key, bytes }).all(),
    removeUnusedSince(before, most) {
      const old = orm.select({ id }).from(conversation).where(lt(usedAt, before)).limit(most);
      return orm.delete(conversation).where(inArray(id, old)).returning({ key, bytes }).all();
    },
  };
}

function entryStore(orm: Database["orm"]) {
  const entry = conversationItemTable;
  const { conversation, place, part, id, item, job, asked, createdAt, bytes } = entry;
  const inOrder = [asc(place), asc(part)] as const;
  const turnAt = (of: string, at: number) => and(eq(conversation, of), eq(place, at), isNotNull(job));
  const row = sql`rowid`;
  return {
    items: (of: string) =>
      orm
        .select({ item })
        .from(entry)
        .where(and(eq(conversation, of), isNotNull(item)))
        .orderBy(...inOrder)
        .all()
        .flatMap((found) => found.item ?? []),
    turns: (of: string) =>
      orm
        .select({ place, job, asked })
        .from(entry)
        .where(and(eq(conversation, of), isNotNull(asked)))
        .orderBy(...inOrder)
        .all(),
    findItem(wanted: string) {
      const { key } = conversationTable;
      const found = orm.select({ item, conversation, key }).from(entry);
      const row = found
        .innerJoin(conversationTable, eq(conversation, conversationTable.id))
        .where(eq(id, wanted))
        .get();
      return row && { ...row, item: row.item ?? "" };
    },
    conversationOf: (wanted: string) =>
      orm.select({ conversation }).from(entry).where(eq(job, wanted)).get()?.conversation,
    nextPlace(of: string) {
      const last = sql<number | null>`max(${place})`;
      return (orm.select({ last }).from(entry).where(eq(conversation, of)).get()?.last ?? 0) + 1;
    },
    insertEntry: (made: typeof entry.$inferInsert) => {
      orm.insert(entry).values(made).run();
    },
    turnBytes: (of: string, at: number) => orm.select({ bytes }).from(entry).where(turnAt(of, at)).get()?.bytes,
    endTurn: (of: string, at: number, left: number) => {
      orm.update(entry).set({ asked: null, bytes: left }).where(turnAt(of, at)).run();
    },
    removeTurn: (of: string, at: number) => {
      orm.delete(entry).where(turnAt(of, at)).run();
    },
    removeItem: (of: string, removed: string) =>
      orm
        .delete(entry)
        .where(and(eq(conversation, of), eq(id, removed)))
        .returning({ conversation, bytes })
        .all(),
    removeEntriesBefore(before: Instant, most: number) {
      const old = orm.select({ row }).from(entry).where(lt(createdAt, before)).limit(most);
      return orm.delete(entry).where(inArray(row, old)).returning({ conversation, bytes }).all();
    },
  };
}

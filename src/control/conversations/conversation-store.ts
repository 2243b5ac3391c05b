// SQL about conversations, their items and their turns. Callers of what changes something hold a transaction.
import { and, asc, eq, inArray, lt, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { conversationItemTable, conversationTable } from "./conversation.table.ts";

type ConversationRow = typeof conversationTable.$inferSelect;
type EntryRow = typeof conversationItemTable.$inferSelect;

export type ConversationStore = {
  insert(row: ConversationRow): void;
  find(id: string): ConversationRow | undefined;
  change(id: string, change: Partial<ConversationRow>): void;
  remove(id: string): void;
  /** In order. */
  entries(id: string): EntryRow[];
  nextPlace(id: string): number;
  insertEntry(row: typeof conversationItemTable.$inferInsert): void;
  removePlace(id: string, place: number): void;
  removeItem(id: string, item: string): void;
  /** Both give how many were removed. */
  removeEntriesBefore(before: Instant, most: number): number;
  removeUnusedSince(before: Instant, most: number): number;
};

export function createConversationStore({ orm }: Pick<Database, "orm">): ConversationStore {
  const [conversation, entry] = [conversationTable, conversationItemTable];
  const row = sql`rowid`;
  return {
    insert: (made) => {
      orm.insert(conversation).values(made).run();
    },
    find: (id) => orm.select().from(conversation).where(eq(conversation.id, id)).get(),
    change: (id, change) => {
      orm.update(conversation).set(change).where(eq(conversation.id, id)).run();
    },
    remove: (id) => {
      orm.delete(conversation).where(eq(conversation.id, id)).run();
    },
    entries: (id) =>
      orm.select().from(entry).where(eq(entry.conversation, id)).orderBy(asc(entry.place), asc(entry.part)).all(),
    nextPlace(id) {
      const place = sql<number | null>`max(${entry.place})`;
      return (orm.select({ place }).from(entry).where(eq(entry.conversation, id)).get()?.place ?? 0) + 1;
    },
    insertEntry: (made) => {
      orm.insert(entry).values(made).run();
    },
    removePlace: (id, place) => {
      orm
        .delete(entry)
        .where(and(eq(entry.conversation, id), eq(entry.place, place)))
        .run();
    },
    removeItem: (id, item) => {
      orm
        .delete(entry)
        .where(and(eq(entry.conversation, id), eq(entry.id, item)))
        .run();
    },
    removeEntriesBefore(before, most) {
      const old = orm.select({ row }).from(entry).where(lt(entry.createdAt, before)).limit(most);
      return orm.delete(entry).where(inArray(row, old)).returning({ part: entry.part }).all().length;
    },
    removeUnusedSince(before, most) {
      const { id, usedAt } = conversation;
      const old = orm.select({ id }).from(conversation).where(lt(usedAt, before)).limit(most);
      return orm.delete(conversation).where(inArray(id, old)).returning({ id }).all().length;
    },
  };
}

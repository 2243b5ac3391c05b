// Every SQL statement about uploads. Callers hold a transaction: see group-commit.ts.
import { and, asc, desc, eq, gt, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { uploadTable } from "./upload.table.ts";

export type UploadRow = typeof uploadTable.$inferSelect;
export type UploadContent = { size: number; digest: string; completedAt: Instant; expiresAt: Instant | null };

export type UploadPage = {
  after?: { createdAt: number; token: string } | undefined;
  limit: number;
  /** By default the latest first. */
  order?: "asc" | "desc";
  /** Of those that have this, or any, purpose alone. */
  purpose?: string;
};

export type UploadStore = {
  insert(row: UploadRow): void;
  byToken(token: string): UploadRow | undefined;
  bySecret(secret: string): UploadRow | undefined;
  /** False when it was complete already. */
  complete(token: string, content: UploadContent): boolean;
  hold(token: string, held: number): void;
  setAcl(token: string, acl: string): void;
  /** Complete ones of a key that are not over; after `after`, if that is given. */
  listOf(key: string, page: UploadPage & { now: Instant }): UploadRow[];
  /** Expired before `now`, or begun before `begunBefore` and never completed. */
  over(at: { now: Instant; begunBefore: Instant }, limit: number): string[];
  remove(token: string): Pick<UploadRow, "key" | "held"> | undefined;
};

export function createUploadStore({ orm }: Database): UploadStore {
  const upload = uploadTable;
  return {
    insert: (row) => {
      orm.insert(upload).values(row).run();
    },
    byToken: (token) => orm.select().from(upload).where(eq(upload.token, token)).get(),
    bySecret: (secret) => orm.select().from(upload).where(eq(upload.secret, secret)).get(),
    complete: (token, content) =>
      orm
        .update(upload)
        .set(content)
        .where(and(eq(upload.token, token), isNull(upload.completedAt)))
        .returning({ token: upload.token })
        .get() !== undefined,
    hold: (token, held) => {
      orm.update(upload).set({ held }).where(eq(upload.token, token)).run();
    },
    listOf(key, { now, after, limit, order = "desc", purpose }) {
      const [first, last] = order === "desc" ? [desc, sql`<`] : [asc, sql`>`];
      const ofPurpose = purpose === "any" ? isNotNull(upload.purpose) : purpose && eq(upload.purpose, purpose);
      return orm
        .select()
        .from(upload)
        .where(
          and(
            eq(upload.key, key),
            isNotNull(upload.completedAt),
            or(isNull(upload.expiresAt), gt(upload.expiresAt, now)),
            after && sql`(${upload.createdAt}, ${upload.token}) ${last} (${after.createdAt}, ${after.token})`,
            ofPurpose || undefined,
          ),
        )
        .orderBy(first(upload.createdAt), first(upload.token))
        .limit(limit)
        .all();
    },
    setAcl: (token, acl) => {
      orm.update(upload).set({ acl }).where(eq(upload.token, token)).run();
    },
    over: ({ now, begunBefore }, limit) =>
      orm
        .select({ token: upload.token })
        .from(upload)
        .where(or(lt(upload.expiresAt, now), and(isNull(upload.completedAt), lt(upload.createdAt, begunBefore))))
        .limit(limit)
        .all()
        .map(({ token }) => token),
    remove: (token) =>
      orm.delete(upload).where(eq(upload.token, token)).returning({ key: upload.key, held: upload.held }).get(),
  };
}

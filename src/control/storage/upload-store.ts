// Every SQL statement about uploads. Callers hold a transaction: see group-commit.ts.
import { and, eq, isNull, lt, or } from "drizzle-orm";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { uploadTable } from "./upload.table.ts";

export type UploadRow = typeof uploadTable.$inferSelect;
export type UploadContent = { size: number; digest: string; completedAt: Instant; expiresAt: Instant | null };

export type UploadStore = {
  insert(row: UploadRow): void;
  byToken(token: string): UploadRow | undefined;
  bySecret(secret: string): UploadRow | undefined;
  /** False when it was complete already. */
  complete(token: string, content: UploadContent): boolean;
  setAcl(token: string, acl: string): void;
  /** Expired before `now`, or begun before `begunBefore` and never completed. */
  over(at: { now: Instant; begunBefore: Instant }, limit: number): string[];
  remove(token: string): void;
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
    remove: (token) => {
      orm.delete(upload).where(eq(upload.token, token)).run();
    },
  };
}

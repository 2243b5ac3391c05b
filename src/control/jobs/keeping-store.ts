// How long what belongs to a finished job is kept: statements about payloads and output files that end before their job.
import { and, eq, gt, inArray, isNotNull, lte, or, sql } from "drizzle-orm";
import { asId, type FileToken, type JobId, type KeyId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { isOpen, jobLogTable, jobTable } from "./job.table.ts";

/** Output files that not everybody may read, or not for as long as their job is kept. */
export type GuardedFiles = { owner: KeyId; acl: string | null; until: Instant | undefined };

export type KeepingStore = {
  /** Undefined for files without rules of their own. */
  guardOf(files: FileToken): GuardedFiles | undefined;
  /** Of a job that made files. */
  outputsOf(files: FileToken): Pick<GuardedFiles, "owner" | "acl"> | undefined;
  setOutputAcl(files: FileToken, acl: string | null): void;
  payloadsOver(now: Instant, page: { limit: number; except: JobId[] }): JobId[];
  forgetPayloads(ids: JobId[]): void;
  filesOver(now: Instant, limit: number): { id: JobId; files: FileToken }[];
  forgetFiles(ids: JobId[]): void;
  /** Jobs that wait or run, and their folders. */
  openJobs(): JobId[];
  openFiles(): Set<string>;
};

/** In place of the time when a payload is to go: it is gone. */
export const FORGOTTEN = 0;

/** As one parameter: of these SQLite takes tens of thousands at most. */
export const isNoneOf = (id: typeof jobTable.id, ids: JobId[]) =>
  ids.length === 0 ? undefined : sql`${id} not in (select value from json_each(${JSON.stringify(ids)}))`;

export function createKeepingStore({ orm }: Pick<Database, "orm">): KeepingStore {
  const job = jobTable;
  // Spelled as in the index, which SQLite recognises by its condition.
  const isGuarded = or(isNotNull(job.filesAcl), isNotNull(job.filesKeepFor));
  const guard = orm
    .select({ owner: job.key, acl: job.filesAcl, until: job.filesUntil })
    .from(job)
    .where(and(eq(job.files, sql.placeholder("files")), isGuarded))
    .prepare();
  const hasFiles = (files: FileToken) => and(eq(job.files, files), sql`instr(output, 'forecourt-file:') > 0`);
  const open = () => orm.select({ id: job.id, files: job.files }).from(job).where(isOpen).all();
  return {
    guardOf(files) {
      const found = guard.get({ files });
      return found && { owner: asId<KeyId>(found.owner), acl: found.acl, until: (found.until ?? undefined) as Instant };
    },
    outputsOf(files) {
      const found = orm.select({ owner: job.key, acl: job.filesAcl }).from(job).where(hasFiles(files)).get();
      return found && { owner: asId<KeyId>(found.owner), acl: found.acl };
    },
    setOutputAcl: (files, acl) => {
      orm.update(job).set({ filesAcl: acl }).where(hasFiles(files)).run();
    },
    payloadsOver: (now, { limit, except }) =>
      orm
        .select({ id: job.id })
        .from(job)
        .where(
          and(
            isNotNull(job.payloadUntil),
            gt(job.payloadUntil, FORGOTTEN),
            lte(job.payloadUntil, now),
            isNoneOf(job.id, except),
          ),
        )
        .limit(limit)
        .all()
        .map(({ id }) => asId<JobId>(id)),
    forgetPayloads: (ids) => {
      // What was wrong with an input quotes it.
      const failure = sql`json_remove(${job.failure}, '$.problems')`;
      const nothing = { input: "{}", output: null, failure, payloadUntil: FORGOTTEN };
      orm.update(job).set(nothing).where(inArray(job.id, ids)).run();
      orm.delete(jobLogTable).where(inArray(jobLogTable.job, ids)).run();
    },
    filesOver: (now, limit) =>
      orm
        .select({ id: job.id, files: job.files })
        .from(job)
        .where(and(isNotNull(job.filesUntil), lte(job.filesUntil, now)))
        .limit(limit)
        .all()
        .map(({ id, files }) => ({ id: asId<JobId>(id), files: asId<FileToken>(files) })),
    forgetFiles: (ids) => {
      orm.update(job).set({ filesUntil: null }).where(inArray(job.id, ids)).run();
    },
    openJobs: () => open().map(({ id }) => asId<JobId>(id)),
    openFiles: () => new Set(open().map(({ files }) => files)),
  };
}

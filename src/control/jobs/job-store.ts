// Every SQL statement about jobs. A transition names the state it leaves, so that none can happen twice.
import { and, asc, eq, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { Failure } from "../../core/errors.ts";
import type { JobId, RunnerId } from "../../core/ids.ts";
import type { Job, LogLine, Timing } from "../../core/job.ts";
import type { Units } from "../../core/pipeline.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { jobLogTable, jobTable } from "./job.table.ts";
import { type JobRow, jobOf, type NewJobRow } from "./job-row.ts";
import type { Setbacks } from "./retry.ts";

export type Ending =
  | { status: "done"; output: unknown; units: Units; timing: Timing; device: string }
  | { status: "failed"; failure: Failure }
  | { status: "cancelled" };

export type JobStore = ReturnType<typeof createJobStore>;

/** Callers hold a transaction: see group-commit.ts. */
export function createJobStore({ orm }: Database) {
  const job = jobTable;
  const byId = orm
    .select()
    .from(job)
    .where(eq(job.id, sql.placeholder("id")))
    .prepare();
  const claimIt = orm
    .update(job)
    .set({
      status: "running",
      runner: sql`${sql.placeholder("runner")}`,
      startedAt: sql`${sql.placeholder("at")}`,
      attempts: sql`${job.attempts} + 1`,
    })
    .where(and(eq(job.id, sql.placeholder("id")), eq(job.status, "queued")))
    .returning()
    .prepare();
  const logsOf = orm
    .select()
    .from(jobLogTable)
    .where(eq(jobLogTable.job, sql.placeholder("id")))
    .orderBy(asc(jobLogTable.line))
    .prepare();

  /** The row as it is now, or undefined when it was not in the state that the transition leaves. */
  const change = (set: Partial<NewJobRow>, where: SQL | undefined): JobRow | undefined =>
    orm.update(job).set(set).where(where).returning().get();
  const isRunning = (id: JobId, runner: RunnerId) =>
    and(eq(job.id, id), eq(job.status, "running"), eq(job.runner, runner));

  return {
    insert: (row: NewJobRow) => {
      orm.insert(job).values(row).run();
    },
    row: (id: JobId): JobRow | undefined => byId.get({ id }),
    withStatus: (...status: Job["status"][]): JobRow[] =>
      orm.select().from(job).where(inArray(job.status, status)).orderBy(asc(job.createdAt), asc(job.id)).all(),
    claim: (id: JobId, { runner, at }: { runner: RunnerId; at: Instant }): JobRow | undefined =>
      claimIt.get({ id, runner, at }),
    endQueued: (id: JobId, ending: Ending, finishedAt: Instant) =>
      change({ ...columnsOf(ending), finishedAt }, and(eq(job.id, id), eq(job.status, "queued"))),
    endRunning: (id: JobId, runner: RunnerId, ending: Ending & { setbacks?: Setbacks }, finishedAt: Instant) =>
      change({ ...columnsOf(ending), ...ending.setbacks, finishedAt }, isRunning(id, runner)),
    requeue: (id: JobId, runner: RunnerId, setbacks: Partial<Setbacks> = {}) =>
      change({ status: "queued", runner: null, startedAt: null, ...setbacks }, isRunning(id, runner)),
    requestCancel: (id: JobId) => change({ cancelRequested: true }, and(eq(job.id, id), eq(job.status, "running"))),
    addLog: (id: JobId, line: number, { at, level, message }: LogLine) => {
      orm.insert(jobLogTable).values({ job: id, line, at, level, message }).run();
    },
    logs: (id: JobId): LogLine[] =>
      logsOf.all({ id }).map(({ at, level, message }) => ({ at: instant(at), level, message })),
    finishedBefore: (before: Instant, limit: number): Job[] =>
      orm.select().from(job).where(lt(job.finishedAt, before)).limit(limit).all().map(jobOf),
    remove: (ids: JobId[]) => {
      orm.delete(job).where(inArray(job.id, ids)).run();
    },
  };
}

/** As columns; a job that ends on the spot is inserted with them. */
export function columnsOf(ending: Ending): Partial<NewJobRow> & Pick<NewJobRow, "status"> {
  if (ending.status === "failed") return { status: "failed", failure: JSON.stringify(ending.failure) };
  if (ending.status === "cancelled") return { status: "cancelled" };
  const { status, output, units, timing, device } = ending;
  return {
    status,
    output: JSON.stringify(output),
    units: JSON.stringify(units),
    timing: JSON.stringify(timing),
    device,
  };
}

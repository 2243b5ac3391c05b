// Every SQL statement about jobs. A transition names the state it leaves, so that none can happen twice.
// The statements of a job's usual way (insert, claim, end, read) are prepared once: building them costs more than running.
import { and, asc, eq, getTableColumns, inArray, lt, or, sql } from "drizzle-orm";
import type { Failure } from "../../core/errors.ts";
import { asId, type FileToken, type JobId, type KeyId, type RunnerId } from "../../core/ids.ts";
import type { LogLine, OpenStatus, Timing } from "../../core/job.ts";
import type { Units } from "../../core/pipeline.ts";
import { type Instant, instant, milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { placeholders } from "../database/placeholders.ts";
import { statement } from "../database/statement.ts";
import { isOpen, jobLogTable, jobTable } from "./job.table.ts";
import { type JobRoom, sizeOf } from "./job-room-store.ts";
import type { JobRow, OpenRow, OutcomeRow } from "./job-row.ts";
import { createKeepingStore, isNoneOf, type KeepingStore } from "./keeping-store.ts";
import type { Setbacks } from "./retry.ts";

export type Ending =
  | {
      status: "done";
      output: unknown;
      units: Units;
      timing: Timing;
      /** Of its runner's time, which a batch shares. */
      shareMs: number;
      device: string;
      /** Of its output files. */
      fileBytes: number;
    }
  | { status: "failed"; failure: Failure }
  | { status: "cancelled" };

/** The state that an ending leaves; of a running job, also whose attempt ends. */
export type Leaving = { from: "queued" } | { from: "running"; runner: RunnerId; setbacks?: Setbacks };

/** Oldest first, from behind `after`. */
export type OpenPage = { status: OpenStatus; after: OpenPlace; limit: number };
export type OpenPlace = { createdAt: number; id: string };

/** Callers hold a transaction: see group-commit.ts. Transitions answer false when the job was not in that state. */
export type JobStore = {
  insert(row: JobRow): void;
  row(id: JobId): JobRow | undefined;
  /** The columns that tell how a job ended, without its input and output. */
  outcome(id: JobId): OutcomeRow | undefined;
  /** Oldest first, without what they were given: tens of thousands may wait, each with megabytes. */
  withStatus(status: OpenStatus, other?: OpenStatus): OpenRow[];
  /** The same in parts, which cost what they hold and not what waits. */
  page(page: OpenPage): OpenRow[];
  /** JSON, of a job that waits. */
  setInput(id: JobId, input: string): void;
  /** Of a job that waits in the table. */
  setModel(id: JobId, change: Pick<JobRow, "model" | "price">): void;
  claim(id: JobId, by: { runner: RunnerId; at: Instant }): JobRow | undefined;
  end(id: JobId, leaving: Leaving, ending: Ending & { at: Instant }): boolean;
  requeue(id: JobId, attempt: { runner: RunnerId; setbacks?: Setbacks }): JobRow | undefined;
  requestCancel(id: JobId): boolean;
  addLog(id: JobId, line: number, text: LogLine): void;
  logs(id: JobId): LogLine[];
  finishedBefore(before: Instant, page: { limit: number; except: JobId[] }): { id: JobId; files: FileToken }[];
  remove(ids: JobId[]): void;
} & KeepingStore;

/** For an hour, as at fal, a result that is not to be kept can be fetched, and webhooks that carry it be tried again. */
export const PAYLOAD_KEPT = milliseconds(60 * 60 * 1000);

/** Of a job that has just ended: what others write down about it. */
export type EndedJob = Pick<JobRow, "id" | "key" | "model" | "endpoint" | "tags" | "price" | "createdAt">;

/** Called in the transaction that ends a job, after it. */
export type OnEnd = (job: EndedJob, ending: Ending & { at: Instant }) => void;

export function createJobStore(
  { orm, sqlite }: Database,
  { onEnd, room }: { onEnd: OnEnd; room: Pick<JobRoom, "inserted" | "ended"> },
): JobStore {
  const job = jobTable;
  const run = prepareAll({ orm, sqlite });
  return {
    ...createKeepingStore({ orm }),
    insert: (row) => run.insert.run(room.inserted(row)),
    row: (id) => run.row.get({ id }),
    outcome: (id) => run.outcome.get({ id }),
    withStatus: (status, other = status) => run.open.all({ status, other }),
    page: ({ status, after, limit }) => run.page.all({ status, ...after, limit }),
    setModel(id, change) {
      orm.update(job).set(change).where(eq(job.id, id)).run();
    },
    setInput(id, input) {
      orm
        .update(job)
        .set({ input })
        .where(and(eq(job.id, id), eq(job.status, "queued")))
        .run();
    },
    claim: (id, { runner, at }) => run.claim.get({ id, runner, at }),
    end(id, leaving, { at, ...ending }) {
      const attempt = leaving.from === "running" ? leaving : { runner: null, setbacks: undefined };
      const setbacks = { ...UNCHANGED, ...attempt.setbacks };
      const { from } = leaving;
      const { runner } = attempt;
      const columns = endColumns(ending);
      const more = sizeOf(columns.output) + fileBytesOf(ending);
      const found = run.end.get({ id, from, runner, ...setbacks, at, more, ...columns });
      if (!found) return false;
      const { held, inputBytes, ...ended } = found;
      room.ended(asId<KeyId>(ended.key), held, inputBytes);
      onEnd(ended, { ...ending, at });
      return true;
    },
    requeue: (id, { runner, setbacks }) =>
      orm
        .update(job)
        .set({ status: "queued", runner: null, startedAt: null, ...setbacks })
        .where(and(eq(job.id, id), eq(job.status, "running"), eq(job.runner, runner)))
        .returning()
        .get(),
    requestCancel: (id) =>
      orm
        .update(job)
        .set({ cancelRequested: true })
        .where(and(eq(job.id, id), eq(job.status, "running")))
        .returning({ id: job.id })
        .get() !== undefined,
    addLog: (id, line, text) => {
      run.addLog.run({ job: id, line, ...text });
    },
    logs: (id) => run.logs.all({ id }).map(({ at, level, message }) => ({ at: instant(at), level, message })),
    finishedBefore: (before, { limit, except }) =>
      orm
        .select({ id: job.id, files: job.files })
        .from(job)
        .where(and(lt(job.finishedAt, before), isNoneOf(job.id, except)))
        .limit(limit)
        .all()
        .map(({ id, files }) => ({ id: asId(id), files: asId(files) })),
    remove: (ids) => {
      orm.delete(job).where(inArray(job.id, ids)).run();
    },
  };
}

const UNCHANGED: Record<keyof Setbacks, null> = {
  ...{ kills: null, crashes: null, interruptions: null, errors: null, timeouts: null },
};

/** A setback that is not given stays as it was. */
const kept = (name: keyof Setbacks) => sql`coalesce(${sql.placeholder(name)}, ${jobTable[name]})`;
const given = (name: string) => sql`${sql.placeholder(name)}`;

function prepareAll({ orm, sqlite }: Pick<Database, "orm" | "sqlite">) {
  const job = jobTable;
  const log = jobLogTable;
  const isJob = eq(job.id, sql.placeholder("id"));
  const ending = {
    status: given("status"),
    output: given("output"),
    units: given("units"),
    timing: given("timing"),
    failure: given("failure"),
    device: given("device"),
    finishedAt: given("at"),
    kills: kept("kills"),
    crashes: kept("crashes"),
    interruptions: kept("interruptions"),
    errors: kept("errors"),
    timeouts: kept("timeouts"),
    payloadUntil: sql`case when ${job.keepsPayload} then null else ${sql.placeholder("at")} + ${PAYLOAD_KEPT} end`,
    filesUntil: sql`${sql.placeholder("at")} + ${job.filesKeepFor}`,
    held: sql`octet_length(${job.input}) + ${sql.placeholder("more")}`,
  };
  const claim = {
    status: sql`'running'`,
    runner: given("runner"),
    startedAt: given("at"),
    attempts: sql`${job.attempts} + 1`,
  };
  const { id, key, model, endpoint, tags, price, createdAt, status, units, timing, device, failure, finishedAt } = job;
  const endedJob = { id, key, model, endpoint, tags, price, createdAt };
  const ended = { ...endedJob, held: job.held, inputBytes: sql<number>`octet_length(${job.input})` };
  const isLeft = and(
    isJob,
    eq(job.status, sql.placeholder("from")),
    sql`${job.runner} is ${sql.placeholder("runner")}`,
  );
  const waits = and(isJob, eq(job.status, "queued"));
  const columns = getTableColumns(job);
  const { input: _, output: __, ...open } = columns;
  const isOneOf = or(eq(status, sql.placeholder("status")), eq(status, sql.placeholder("other")));
  const ofOpen = orm.select(open).from(job).where(and(isOpen, isOneOf)).orderBy(asc(createdAt), asc(id));
  const place = { createdAt: sql.placeholder("createdAt"), id: sql.placeholder("id") };
  const isBehind = sql`(${createdAt}, ${id}) > (${place.createdAt}, ${place.id})`;
  const ofPage = orm
    .select(open)
    .from(job)
    .where(and(isOpen, eq(status, sql.placeholder("status")), isBehind))
    .orderBy(asc(createdAt), asc(id))
    .limit(sql.placeholder("limit"));
  const outcome = { ...endedJob, status, units, timing, device, failure, finishedAt };
  const logColumns = getTableColumns(log);
  const ofJob = eq(log.job, sql.placeholder("id"));
  return {
    insert: statement(sqlite, orm.insert(job).values(placeholders(columns))),
    row: statement(sqlite, orm.select().from(job).where(isJob), columns),
    outcome: statement(sqlite, orm.select(outcome).from(job).where(isJob), outcome),
    open: statement(sqlite, ofOpen, open),
    page: statement(sqlite, ofPage, open),
    claim: statement(sqlite, orm.update(job).set(claim).where(waits).returning(), columns),
    end: statement(sqlite, orm.update(job).set(ending).where(isLeft).returning(ended), ended),
    addLog: statement(sqlite, orm.insert(log).values(placeholders(logColumns))),
    logs: statement(sqlite, orm.select().from(log).where(ofJob).orderBy(asc(log.line)), logColumns),
  };
}

export const fileBytesOf = (ending: Ending) => (ending.status === "done" ? ending.fileBytes : 0);

/** What an ending writes beside its time. */
export function endColumns(ending: Ending) {
  const { status } = ending;
  const nothing = { output: null, units: null, timing: null, failure: null, device: null };
  if (status === "failed") return { ...nothing, status, failure: JSON.stringify(ending.failure) };
  if (status === "cancelled") return { ...nothing, status };
  const { output, units, timing, device } = ending;
  const texts = { output: JSON.stringify(output), units: JSON.stringify(units), timing: JSON.stringify(timing) };
  return { ...nothing, ...texts, status, device };
}

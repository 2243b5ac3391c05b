// SQL about jobs that are over: pages of them, and the removal of what they hold.
import { and, asc, desc, eq, getTableColumns, gte, inArray, isNotNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { ErrorCode, Failure } from "../../core/errors.ts";
import { asId, type JobId, type KeyId } from "../../core/ids.ts";
import type { JobStatus } from "../../core/job.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import { jobLogTable, jobTable } from "./job.table.ts";
import type { JobRow } from "./job-row.ts";
import { FORGOTTEN } from "./keeping-store.ts";

/** Which jobs: those that ended from `start` until before `end`. */
export type HistoryFilter = {
  /** Ids of models, or the ids under which they were called. Absent: all. */
  endpoints?: string[];
  /** Absent: everybody's. */
  key?: KeyId;
  start: Instant;
  end: Instant;
};

/** Absent parts are left out; an empty outcome is no job at all. */
export type Outcome = { status: Extract<JobStatus, "done" | "failed" | "cancelled">[]; codes?: ErrorCode[] };

type Wanted = HistoryFilter & { outcome?: Outcome; limit: number };

/** Latest first. `after` is where the page before ended, by when that job did. */
export type HistoryPage = Wanted & { after?: { value: number; id: JobId } };

/** From the first step to the end, in milliseconds; 0 for what never started. */
export type Ended = { id: JobId; endedAt: Instant; duration: number };

/** What is read of each job beside what became of it: what it was given, or what it gave too. */
export type Payloads = "none" | "input" | "all";

export type HistoryStore = {
  page(page: HistoryPage): JobId[];
  /** In the order in which they ended, behind this one. */
  ended(part: Wanted & { behind?: Ended }): Ended[];
  /** In this order, and as many of the first as payloads fit into memory: one at least, where it is there. */
  read(ids: JobId[], payloads: Payloads): JobRow[];
  /** Callers hold a transaction. The job stays, what came in and out of it goes. */
  erase(id: JobId, failure: Failure | undefined): void;
};

const job = jobTable;
const duration = sql<number>`coalesce(${job.finishedAt} - ${job.startedAt}, 0)`;

export function createHistoryStore({ orm }: Database): HistoryStore {
  return {
    page({ after, limit, outcome, ...filter }) {
      const { finishedAt } = job;
      const isBelow = after && sql`(${finishedAt}, ${job.id}) < (${after.value}, ${after.id})`;
      // The index then begins where the page does.
      const end = after ? instant(Math.min(filter.end, after.value + 1)) : filter.end;
      return orm
        .select({ id: job.id })
        .from(job)
        .where(and(matches({ ...filter, end }), outcome && isOutcome(outcome), isBelow))
        .orderBy(desc(finishedAt), desc(job.id))
        .limit(limit)
        .all()
        .map(({ id }) => asId<JobId>(id));
    },
    ended({ behind, limit, outcome, ...filter }) {
      const endedAt = sql<Instant>`${job.finishedAt}`;
      const isBehind = behind && sql`(${job.finishedAt}, ${job.id}) > (${behind.endedAt}, ${behind.id})`;
      const start = behind ? instant(Math.max(filter.start, behind.endedAt)) : filter.start;
      return orm
        .select({ id: sql<JobId>`${job.id}`, endedAt, duration })
        .from(job)
        .where(and(matches({ ...filter, start }), outcome && isOutcome(outcome), isBehind))
        .orderBy(asc(job.finishedAt), asc(job.id))
        .limit(limit)
        .all();
    },
    read(ids, payloads) {
      const fitting = payloads === "none" ? ids : withinBytes(orm, ids, payloads);
      const rows = orm.select(READ[payloads]).from(job).where(inArray(job.id, fitting)).all();
      const byId = new Map<string, JobRow>(rows.map((row) => [row.id, row]));
      return fitting.flatMap((id) => byId.get(id) ?? []);
    },
    erase(id, failure) {
      orm.delete(jobLogTable).where(eq(jobLogTable.job, id)).run();
      orm
        .update(job)
        .set({
          input: "{}",
          output: null,
          payloadUntil: FORGOTTEN,
          ...(failure && { failure: JSON.stringify(failure) }),
        })
        .where(and(eq(job.id, id), isNotNull(job.finishedAt)))
        .run();
    },
  };
}

/** Of inputs and outputs that are held at a time: each may have tens of megabytes. */
const PAYLOAD_BYTES = 16 * 1024 * 1024;

function withinBytes(orm: Database["orm"], ids: JobId[], payloads: Exclude<Payloads, "none">): JobId[] {
  const input = sql<number>`octet_length(${job.input})`;
  const size = payloads === "input" ? input : sql<number>`${input} + coalesce(octet_length(${job.output}), 0)`;
  const sizes = orm.select({ id: job.id, size }).from(job).where(inArray(job.id, ids)).all();
  const sizeOf = new Map<string, number>(sizes.map((each) => [each.id, each.size]));
  let sum = 0;
  const end = ids.findIndex((id, at) => {
    sum += sizeOf.get(id) ?? 0;
    return at > 0 && sum > PAYLOAD_BYTES;
  });
  return end < 0 ? ids : ids.slice(0, end);
}

const columns = getTableColumns(job);
const noOutput = { output: sql<string | null>`null` };
const READ = {
  all: columns,
  input: { ...columns, ...noOutput },
  none: { ...columns, ...noOutput, input: sql<string>`'{}'` },
} as const satisfies Record<Payloads, unknown>;

const matches = ({ endpoints, key, start, end }: HistoryFilter): SQL | undefined =>
  and(
    isNotNull(job.finishedAt),
    gte(job.finishedAt, start),
    lt(job.finishedAt, end),
    key === undefined ? undefined : eq(job.key, key),
    endpoints && or(inArray(job.model, endpoints), inArray(job.endpoint, endpoints)),
  );

const isOutcome = ({ status, codes }: Outcome): SQL | undefined =>
  and(
    inArray(job.status, status),
    codes && or(isOther(status), inArray(sql`json_extract(${job.failure}, '$.code')`, codes)),
  );

/** Only failed jobs have a code. */
const isOther = (status: Outcome["status"]) => {
  const others = status.filter((each) => each !== "failed");
  return others.length === 0 ? undefined : inArray(job.status, others);
};

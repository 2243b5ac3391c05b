// SQL about jobs that are over: pages of them, and the removal of what they hold.
import { and, desc, eq, gte, inArray, isNotNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { ErrorCode, Failure } from "../../core/errors.ts";
import type { JobId, KeyId } from "../../core/ids.ts";
import type { JobStatus } from "../../core/job.ts";
import type { Instant } from "../../core/units.ts";
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

/** Latest or longest first. `after` is where the page before ended. */
export type HistoryPage = HistoryFilter & {
  outcome?: Outcome;
  by: "ended" | "duration";
  after?: { value: number; id: JobId };
  limit: number;
};

export type HistoryStore = {
  page(page: HistoryPage): JobRow[];
  /** Callers hold a transaction. The job stays, what came in and out of it goes. */
  erase(id: JobId, failure: Failure | undefined): void;
};

const job = jobTable;
/** From the first step to the end; 0 for what never started. */
const duration = sql<number>`coalesce(${job.finishedAt} - ${job.startedAt}, 0)`;

export function createHistoryStore({ orm }: Database): HistoryStore {
  return {
    page({ by, after, limit, outcome, ...filter }) {
      const order = by === "ended" ? sql<number>`${job.finishedAt}` : duration;
      const isBelow =
        after && or(sql`${order} < ${after.value}`, and(sql`${order} = ${after.value}`, lt(job.id, after.id)));
      return orm
        .select()
        .from(job)
        .where(and(matches(filter), outcome && isOutcome(outcome), isBelow))
        .orderBy(desc(order), desc(job.id))
        .limit(limit)
        .all();
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

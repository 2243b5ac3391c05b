// Jobs that are worth nothing once their caller is gone (frames of a realtime connection): kept in memory, beside the table.

import type { JobId } from "../../core/ids.ts";
import type { Job, LogLine } from "../../core/job.ts";
import type { Instant } from "../../core/units.ts";
import type { JobRow } from "./job-row.ts";
import { type EndedJob, type Ending, endColumns, type JobStore } from "./job-store.ts";

/** The table and the memory as one store: every job is in one of them, and each call goes to where its job is. */
export type AllJobsStore = JobStore & {
  insertPassing(row: JobRow): void;
  isPassing(id: JobId): boolean;
  /** Of a passing job, once its end was told. */
  forget(id: JobId): void;
};

type Passing = { row: JobRow; lines: LogLine[] };

/** `onEnd` is called after a job's end, as the table's store does. */
export function withPassingJobs(
  table: JobStore,
  onEnd: (job: EndedJob, ending: Ending & { at: Instant }) => void,
): AllJobsStore {
  const passing = new Map<JobId, Passing>();
  const change = (id: JobId, isAllowed: (row: JobRow) => boolean, columns: (row: JobRow) => Partial<JobRow>) => {
    const found = passing.get(id);
    if (!found || !isAllowed(found.row)) return undefined;
    found.row = { ...found.row, ...columns(found.row) };
    return found.row;
  };
  const isRunning = ({ status }: JobRow) => status === "running";
  const rowsOf = (status: Job["status"][]) =>
    [...passing.values()].map(({ row }) => row).filter((row) => status.includes(row.status));

  return {
    ...table,
    insertPassing: (row) => {
      passing.set(row.id as JobId, { row, lines: [] }); // made by new-job.ts
    },
    isPassing: (id) => passing.has(id),
    forget: (id) => {
      passing.delete(id);
    },
    row: (id) => passing.get(id)?.row ?? table.row(id),
    outcome: (id) => passing.get(id)?.row ?? table.outcome(id),
    withStatus: (...status) => [...table.withStatus(...status), ...rowsOf(status)],
    claim(id, by) {
      if (!passing.has(id)) return table.claim(id, by);
      const columns = ({ attempts }: JobRow) => ({
        ...{ status: "running" as const, runner: by.runner, startedAt: by.at, attempts: attempts + 1 },
      });
      return change(id, ({ status }) => status === "queued", columns);
    },
    end(id, leaving, { at, ...ending }) {
      if (!passing.has(id)) return table.end(id, leaving, { at, ...ending });
      const runner = leaving.from === "running" ? leaving.runner : null;
      const isLeft = (row: JobRow) => row.status === leaving.from && row.runner === runner;
      const ended = change(id, isLeft, () => ({ ...endColumns(ending), finishedAt: at }));
      if (ended) onEnd(ended, { ...ending, at });
      return ended !== undefined;
    },
    requeue(id, attempt) {
      if (!passing.has(id)) return table.requeue(id, attempt);
      const isLeft = (row: JobRow) => isRunning(row) && row.runner === attempt.runner;
      return change(id, isLeft, () => ({ status: "queued", runner: null, startedAt: null, ...attempt.setbacks }));
    },
    requestCancel: (id) =>
      passing.has(id)
        ? change(id, isRunning, () => ({ cancelRequested: true })) !== undefined
        : table.requestCancel(id),
    addLog(id, line, text) {
      const found = passing.get(id);
      if (found) found.lines.push(text);
      else table.addLog(id, line, text);
    },
    logs: (id) => passing.get(id)?.lines ?? table.logs(id),
  };
}

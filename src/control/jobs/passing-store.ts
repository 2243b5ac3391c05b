// Jobs that are worth nothing once their caller is gone (frames of a realtime connection): kept in memory, beside the table.

import type { JobId } from "../../core/ids.ts";
import type { JobStatus, LogLine } from "../../core/job.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { HeldStore } from "./held-store.ts";
import type { JobRow } from "./job-row.ts";
import { endColumns, type OnEnd } from "./job-store.ts";
import { openPage } from "./open-page.ts";
import { afterClaim, isLeftBy } from "./transitions.ts";

/** The table and the memory as one store: every job is in one of them, and each call goes to where its job is. */
export type AllJobsStore = HeldStore & {
  insertPassing(row: JobRow): void;
  isPassing(id: JobId): boolean;
  /** What changes it needs no transaction, but for its end. */
  isInMemory(id: JobId): boolean;
  /** Of a passing job, once its end was told. */
  forget(id: JobId): void;
};

type Passing = { row: JobRow; lines: LogLine[] };

type PassingParts = {
  database: Pick<GroupCommit, "onUndone">;
  /** Called after a job's end, as the table's store does. */
  onEnd: OnEnd;
};

export function withPassingJobs(table: HeldStore, { database, onEnd }: PassingParts): AllJobsStore {
  const passing = new Map<JobId, Passing>();
  /** `after`: undefined where that is not allowed. */
  const change = (id: JobId, after: (row: JobRow) => JobRow | undefined) => {
    const found = passing.get(id);
    const row = found && after(found.row);
    if (row) found.row = row;
    return row;
  };
  const allRows = () => [...passing.values()].map(({ row }) => row);
  const rowsOf = (status: JobStatus[]) => allRows().filter((row) => status.includes(row.status));

  return {
    ...table,
    insertPassing: (row) => {
      passing.set(row.id as JobId, { row, lines: [] }); // made by new-job.ts
    },
    isPassing: (id) => passing.has(id),
    isInMemory: (id) => passing.has(id) || table.isHeld(id),
    forget: (id) => {
      passing.delete(id);
    },
    row: (id) => passing.get(id)?.row ?? table.row(id),
    outcome: (id) => passing.get(id)?.row ?? table.outcome(id),
    withStatus: (status, other = status) => [...table.withStatus(status, other), ...rowsOf([status, other])],
    page: (page) => openPage(table.page(page), allRows(), page),
    claim(id, by) {
      if (!passing.has(id)) return table.claim(id, by);
      return change(id, (row) => afterClaim(row, by));
    },
    end(id, leaving, { at, ...ending }) {
      const found = passing.get(id);
      if (!found) return table.end(id, leaving, { at, ...ending });
      const { row: left } = found;
      database.onUndone(() => {
        found.row = left;
      });
      const ended = change(id, (row) =>
        isLeftBy(row, leaving) ? { ...row, ...endColumns(ending), finishedAt: at } : undefined,
      );
      if (ended) onEnd(ended, { ...ending, at });
      return ended !== undefined;
    },
    requeue(id, attempt) {
      if (!passing.has(id)) return table.requeue(id, attempt);
      return change(id, (row) =>
        isLeftBy(row, { from: "running", ...attempt })
          ? { ...row, status: "queued", runner: null, startedAt: null, ...attempt.setbacks }
          : undefined,
      );
    },
    requestCancel: (id) =>
      passing.has(id)
        ? change(id, (row) => (row.status === "running" ? { ...row, cancelRequested: true } : undefined)) !== undefined
        : table.requestCancel(id),
    setInput(id, input) {
      if (!change(id, (row) => ({ ...row, input }))) table.setInput(id, input);
    },
    setModel(id, changed) {
      if (!change(id, (row) => ({ ...row, ...changed }))) table.setModel(id, changed);
    },
    addLog(id, line, text) {
      const found = passing.get(id);
      if (found) found.lines.push(text);
      else table.addLog(id, line, text);
    },
    logs: (id) => passing.get(id)?.lines ?? table.logs(id),
  };
}

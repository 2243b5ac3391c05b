// Jobs in memory, beside the table: for good those that are worth nothing once their caller is gone (frames of a realtime
// connection), and for their first moments those whose caller waits on the line. Most of these end before the table would have
// to know of them, and are written once, with their end, instead of at each step on the way.
import type { Clock, Timers } from "../../core/clock.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job, LogLine } from "../../core/job.ts";
import { type Instant, milliseconds } from "../../core/units.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { JobRow } from "./job-row.ts";
import { type EndedJob, type Ending, endColumns, type JobStore, type Leaving, PAYLOAD_KEPT } from "./job-store.ts";

/** The table and the memory as one store: every job is in one of them, and each call goes to where its job is. */
export type AllJobsStore = JobStore & {
  /** Never comes into the table. */
  insertPassing(row: JobRow): void;
  /** Comes into the table with its end, or when it has run for a moment. Callers hold no transaction for it. */
  insertFleeting(row: JobRow): void;
  isPassing(id: JobId): boolean;
  /** Of a passing job, once its end was told. */
  forget(id: JobId): void;
};

type Held = { row: JobRow; lines: LogLine[]; kind: "passing" | "fleeting" };

export type MemoryParts = {
  /** Called after a job's end, as the table's store does, in its transaction. */
  onEnd: (job: EndedJob, ending: Ending & { at: Instant }) => void;
  writes: Pick<GroupCommit, "write" | "written">;
  clock: Clock;
  timers: Timers;
};

/** What has not ended this long after it was begun is written down. */
const FLEETING = milliseconds(50);

type Moves = Pick<MemoryParts, "writes" | "clock" | "timers"> & { table: JobStore; held: Map<JobId, Held> };

/** How fleeting jobs come into the table. */
function createMoves({ table, held, writes, clock, timers }: Moves) {
  let isPlanned = false;

  const write = (id: JobId, { lines }: Held, row: JobRow) => {
    table.insert(row);
    for (const [at, line] of lines.entries()) table.addLog(id, at, line);
  };
  const leave = (id: JobId, job: Held) => {
    held.delete(id);
    writes.written().catch(() => {
      held.set(id, job);
      plan();
    });
  };
  const settle = () => {
    const until = clock.now() - FLEETING;
    const fleeting = [...held].filter(([, { kind }]) => kind === "fleeting");
    const due = fleeting.filter(([, { row }]) => row.createdAt <= until);
    if (due.length > 0)
      writes.write(() => {
        for (const [id, job] of due) write(id, job, job.row);
      });
    for (const [id, job] of due) leave(id, job);
    if (fleeting.length > due.length) plan();
  };
  function plan(): void {
    if (isPlanned) return;
    isPlanned = true;
    timers.after(FLEETING, () => {
      isPlanned = false;
      try {
        settle();
      } catch {
        // The database tells its listeners of a disk that refuses. They stay here, and are tried again.
        plan();
      }
    });
  }
  return {
    /** Soon, those that have been here for a moment. */
    plan,
    /** Callers hold a transaction. */
    write,
    /** Once it was written, in the same transaction. The job is here again, as it was, when that turns out to be lost. */
    leave,
  };
}

export function withJobsInMemory(table: JobStore, { onEnd, ...parts }: MemoryParts): AllJobsStore {
  const held = new Map<JobId, Held>();
  const { plan, write, leave } = createMoves({ ...parts, table, held });
  const change = (id: JobId, isAllowed: (row: JobRow) => boolean, columns: (row: JobRow) => Partial<JobRow>) => {
    const found = held.get(id);
    if (!found || !isAllowed(found.row)) return undefined;
    found.row = { ...found.row, ...columns(found.row) };
    return found.row;
  };
  const isRunning = ({ status }: JobRow) => status === "running";
  const rows = () => [...held.values()].map(({ row }) => row);
  const rowsOf = (status: Job["status"][]) => rows().filter((row) => status.includes(row.status));
  const openRows = () => rowsOf(["queued", "running"]);

  return {
    ...table,
    insertPassing: (row) => {
      held.set(row.id as JobId, { row, lines: [], kind: "passing" }); // made by new-job.ts
    },
    insertFleeting(row) {
      held.set(row.id as JobId, { row, lines: [], kind: "fleeting" });
      plan();
    },
    isPassing: (id) => held.get(id)?.kind === "passing",
    forget: (id) => {
      held.delete(id);
    },
    row: (id) => held.get(id)?.row ?? table.row(id),
    outcome: (id) => held.get(id)?.row ?? table.outcome(id),
    withStatus: (...status) => [...table.withStatus(...status), ...rowsOf(status)],
    openJobs: () => [...table.openJobs(), ...openRows().map(({ id }) => id as JobId)],
    openFiles: () => new Set([...table.openFiles(), ...openRows().map(({ files }) => files)]),
    claim(id, by) {
      if (!held.has(id)) return table.claim(id, by);
      const columns = ({ attempts }: JobRow) => ({
        ...{ status: "running" as const, runner: by.runner, startedAt: by.at, attempts: attempts + 1 },
      });
      return change(id, ({ status }) => status === "queued", columns);
    },
    end(id, leaving, { at, ...ending }) {
      const found = held.get(id);
      if (!found) return table.end(id, leaving, { at, ...ending });
      const runner = leaving.from === "running" ? leaving.runner : null;
      const { row } = found;
      if (row.status !== leaving.from || row.runner !== runner) return false;
      const ended = endedRow(row, leaving, { ...ending, at });
      if (found.kind === "fleeting") write(id, found, ended);
      onEnd(ended, { ...ending, at });
      // Last, because a later failure of this transaction would not undo it.
      if (found.kind === "fleeting") leave(id, found);
      else found.row = ended;
      return true;
    },
    requeue(id, attempt) {
      const found = held.get(id);
      if (!found) return table.requeue(id, attempt);
      const isLeft = (row: JobRow) => isRunning(row) && row.runner === attempt.runner;
      const row = change(id, isLeft, () => ({ status: "queued", runner: null, startedAt: null, ...attempt.setbacks }));
      if (!row || found.kind === "passing") return row;
      // Not in its first moments any more.
      write(id, found, row);
      leave(id, found);
      return row;
    },
    requestCancel: (id) =>
      held.has(id) ? change(id, isRunning, () => ({ cancelRequested: true })) !== undefined : table.requestCancel(id),
    addLog(id, line, text) {
      const found = held.get(id);
      if (found) found.lines.push(text);
      else table.addLog(id, line, text);
    },
    logs: (id) => held.get(id)?.lines ?? table.logs(id),
  };
}

/** As the table's own statement ends a row. */
function endedRow(row: JobRow, leaving: Leaving, { at, ...ending }: Ending & { at: Instant }): JobRow {
  return {
    ...row,
    ...(leaving.from === "running" && leaving.setbacks),
    ...endColumns(ending),
    finishedAt: at,
    payloadUntil: row.keepsPayload ? null : at + PAYLOAD_KEPT,
    filesUntil: row.filesKeepFor === null ? null : at + row.filesKeepFor,
  };
}

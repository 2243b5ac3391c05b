// Jobs that nobody has heard of yet: their callers hear of their end, which is written with their beginning, in one row. What has
// not ended a moment later is written as it is then, and goes the way of all jobs from there.
import type { Timers } from "../../core/clock.ts";
import type { JobId } from "../../core/ids.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { JobRow } from "./job-row.ts";
import { endColumns, fileBytesOf, type JobStore, type OnEnd, PAYLOAD_KEPT } from "./job-store.ts";
import { openPage } from "./open-page.ts";
import { afterClaim, isLeftBy } from "./transitions.ts";

/** The table and what is held as one store. */
export type HeldStore = JobStore & {
  /** Needs no transaction. False, and nothing is done, while the database refuses writes: then it is to be inserted at once. */
  hold(row: JobRow): boolean;
  isHeld(id: JobId): boolean;
  /** Writes all that is held. Callers hold a transaction. */
  keepAll(): void;
};

/** At least so long, and at most twice as long, a beginning is held. */
const HELD: Milliseconds = milliseconds(250);

export type HeldParts = {
  database: Pick<Database, "write" | "onUndone" | "onLost" | "written">;
  timers: Timers;
  /** Called in the transaction that writes a beginning that was held. */
  onKept: (id: JobId) => void;
  onEnd: OnEnd;
};

export function withHeldBeginnings(table: JobStore, { database, timers, onKept, onEnd }: HeldParts): HeldStore {
  const { onUndone } = database;
  const held = new Map<JobId, JobRow>();
  const isRefusing = createRefusal(database);
  const take = (id: JobId, row: JobRow) => {
    held.delete(id);
    onUndone(() => held.set(id, row));
  };
  const keep = (id: JobId) => {
    const row = held.get(id);
    if (!row) return;
    table.insert(row);
    onKept(id);
    take(id, row);
  };
  const plan = createKeeping({ timers, held, keep: (ids) => database.write(() => ids.forEach(keep)) });

  return {
    ...table,
    hold(row) {
      if (isRefusing()) return false;
      held.set(row.id as JobId, row); // made by new-job.ts
      plan();
      return true;
    },
    isHeld: (id) => held.has(id),
    keepAll: () => [...held.keys()].forEach(keep),
    row: (id) => held.get(id) ?? table.row(id),
    outcome: (id) => held.get(id) ?? table.outcome(id),
    withStatus: (status, other = status) => [
      ...table.withStatus(status, other),
      ...[...held.values()].filter((row) => row.status === status || row.status === other),
    ],
    page: (page) => openPage(table.page(page), [...held.values()], page),
    claim(id, by) {
      const row = held.get(id);
      if (!row) return table.claim(id, by);
      const claimed = afterClaim(row, by);
      if (claimed) held.set(id, claimed);
      return claimed;
    },
    end(id, leaving, { at, ...ending }) {
      const row = held.get(id);
      if (!row) return table.end(id, leaving, { at, ...ending });
      if (!isLeftBy(row, leaving)) return false;
      const payloadUntil = row.keepsPayload ? null : at + PAYLOAD_KEPT;
      const filesUntil = row.filesKeepFor === null ? null : at + row.filesKeepFor;
      const times = { finishedAt: at, payloadUntil, filesUntil };
      const setbacks = leaving.from === "running" ? leaving.setbacks : undefined;
      table.insert({ ...row, ...setbacks, ...endColumns(ending), ...times, held: fileBytesOf(ending) });
      take(id, row);
      onEnd(row, { ...ending, at });
      return true;
    },
    requeue(id, attempt) {
      keep(id);
      return table.requeue(id, attempt);
    },
    requestCancel(id) {
      keep(id);
      return table.requestCancel(id);
    },
    setInput(id, input) {
      keep(id);
      table.setInput(id, input);
    },
    setModel(id, change) {
      keep(id);
      table.setModel(id, change);
    },
    addLog(id, line, text) {
      keep(id);
      table.addLog(id, line, text);
    },
    logs: (id) => (held.has(id) ? [] : table.logs(id)),
  };
}

type Keeping = { timers: Timers; held: ReadonlyMap<JobId, JobRow>; keep: (ids: JobId[]) => void };

/** To be called when a job is held: a moment later it is kept, if it is still held then. */
function createKeeping({ timers, held, keep }: Keeping): () => void {
  /** Held before the timer was set: what joins meanwhile is held until the next one. */
  let elder: JobId[] = [];
  let isPlanned = false;
  const keepElder = () => {
    if (!elder.some((id) => held.has(id))) return;
    try {
      keep(elder);
    } catch {
      // They stay held; who mirrors the database has heard of the loss, and the next timer tries again.
    }
  };
  const plan = () => {
    if (isPlanned) return;
    isPlanned = true;
    timers.after(HELD, () => {
      isPlanned = false;
      keepElder();
      elder = [...held.keys()];
      if (held.size > 0) plan();
    });
  };
  return plan;
}

/** From a lost write until another one is committed: then nothing is taken on that could not be written. */
function createRefusal({ onLost, written }: HeldParts["database"]): () => boolean {
  let isRefusing = false;
  onLost(() => {
    isRefusing = true;
  });
  const hearOfNext = () =>
    written().then(
      () => {
        isRefusing = false;
      },
      () => {},
    );
  return () => {
    // By then it is inserted.
    if (isRefusing) queueMicrotask(hearOfNext);
    return isRefusing;
  };
}

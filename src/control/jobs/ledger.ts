// What the two sides of the job store share: rows, their mirror in memory, watchers, and who hears of changes.
import { type Clock, evenClock, type Timers } from "../../core/clock.ts";
import type { ForecourtError } from "../../core/errors.ts";
import { asId, type JobId, type KeyId, type ModelId } from "../../core/ids.ts";
import { hintOf, type Job, type JobOutcome, outcomeOf } from "../../core/job.ts";
import { type Instant, instant, milliseconds } from "../../core/units.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { QueueLoad } from "../accounts/job-facts.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { Database } from "../database/open.ts";
import type { Outbox } from "../webhooks/outbox.ts";
import { type Abandoned, createAbandoned } from "./abandoned.ts";
import type { Attempt } from "./attempt.ts";
import { createEnds, type Ends } from "./ends.ts";
import { withHeldBeginnings } from "./held-store.ts";
import { isComposite } from "./is-composite.ts";
import { jobEnd } from "./job-end.ts";
import { createJobRoom, type JobRoom } from "./job-room-store.ts";
import { jobOf, type OpenRow, outcomeOfRow, wishesOf } from "./job-row.ts";
import { createJobStore, type OnEnd } from "./job-store.ts";
import { type AllJobsStore, withPassingJobs } from "./passing-store.ts";
import { createQueueLoad } from "./queue-load.ts";
import { createWaitingJobs, type WaitingJobs } from "./waiting.ts";
import type { ArrivingJob, WaitingJob } from "./waiting-job.ts";
import { createWatchers, type Watchers } from "./watchers.ts";

/** What the scheduler hears. */
export type JobNote = { type: "waiting" } | { type: "cancel"; id: JobId } | { type: "lost"; reason: string };

export type JobLedger = {
  store: AllJobsStore;
  writes: GroupCommit;
  /** Written together with a job's beginning and end. */
  outbox: Pick<Outbox, "announce" | "ended">;
  /** Decide who may begin; written together with a job's beginning and end too. */
  accounts: JobAccounts;
  load: QueueLoad;
  /** What the jobs of a key take up; written together with their beginnings and ends. */
  room: JobRoom;
  /** False while a limit on running jobs is reached that it counts for. */
  mayStart(job: Pick<WaitingJob, "key" | "model">): boolean;
  waiting: WaitingJobs;
  attempts: Map<JobId, Attempt>;
  watchers: Watchers;
  ends: Ends;
  abandoned: Abandoned;
  /** Writes a start or an end of a job; where that is refused, who waits for the job hears of it. */
  writeFor<T>(id: JobId, work: () => T): T;
  clock: Clock;
  /** Of what waits: no age of it changes with the clock being set. */
  even: Clock;
  /** After a row came to wait, with the times that it has in the table. */
  queued(row: ArrivingJob): void;
  /** The same times, as the even clock has them. */
  evenly(row: ArrivingJob): ArrivingJob;
  /** After a job came to its end; watchers hear of it once that is on disk. `job` where it is known without a look at the table. */
  ended(id: JobId, job?: Job): void;
  /** Of a job that ended as it began. */
  tellFollowers(outcome: JobOutcome | undefined): void;
  /** Hears of every job whose end is on disk. */
  follow(listener: (outcome: JobOutcome) => void): () => void;
  notify(note: JobNote): void;
  subscribe(listener: (note: JobNote) => void): () => void;
  /** Tells watchers of waiting jobs their new position, soon and together. */
  positionsChanged(): void;
};

/** Nobody watches a passing job any more, or nobody ever did: how long its end can still be asked for. */
const UNWATCHED_KEPT = milliseconds(10_000);

/** Positions go out at most four times a second: they change with every job that starts. */
const POSITION_PERIOD = milliseconds(250);

export type JobAccounts = Pick<
  Accounts,
  "requireModel" | "priceOf" | "admit" | "begin" | "hold" | "keep" | "move" | "end" | "keepOnly" | "mayStart" | "teamOf"
>;

export type JobLedgerParts = {
  database: Database;
  outbox: JobLedger["outbox"];
  accounts: JobAccounts;
  /** By default without a limit. */
  room?: JobRoom;
  clock: Clock;
  /** The scheduler's, whose times those of waiting jobs are compared with. */
  even?: Clock;
  timers: Timers;
};

export function createJobLedger(parts: JobLedgerParts): JobLedger {
  const { database, outbox, accounts, clock, timers, even = evenClock(clock) } = parts;
  const { room = createJobRoom({ database }) } = parts;
  const store = openStore({ database, outbox, accounts, room, timers });
  const attempts = new Map<JobId, Attempt>();
  const mayStart: JobLedger["mayStart"] = (job) => accounts.mayStart(job, (account) => load.running(account));
  const waiting = createWaitingJobs(mayStart);
  const load = createQueueLoad({ waiting, attempts, teamOf: accounts.teamOf });
  const watchers = createWatchers();
  const ends = createEnds(watchers);
  const abandoned = createAbandoned({ store, ends });
  const listeners = new Set<(note: JobNote) => void>();
  const followers = new Set<(outcome: JobOutcome) => void>();
  const notify = (note: JobNote) => {
    for (const listener of listeners) listener(note);
  };
  const tellFollowers = (outcome: JobOutcome | undefined) => {
    if (outcome) for (const follower of followers) follower(outcome);
  };
  hearLosses({ database, store, attempts, ends, abandoned, notify });
  const positionsChanged = createPositionNews({ waiting, watchers, timers });
  const evenly = createEvening(clock, even);

  return {
    store,
    writes: database,
    outbox,
    accounts,
    ...{ load, room },
    mayStart,
    waiting,
    attempts,
    watchers,
    ends,
    abandoned,
    clock,
    even,
    evenly,
    notify,
    positionsChanged,
    writeFor: createWriting(database, abandoned),
    queued(job) {
      waiting.add(evenly(job));
      if (watchers.has(job.id)) watchers.emit(job.id, { type: "queued", position: waiting.position(job.id) });
      notify({ type: "waiting" });
    },
    ended(id, known) {
      attempts.delete(id);
      if (waiting.remove(id)) positionsChanged();
      const tell = () => {
        abandoned.forget(id);
        const isWatched = watchers.has(id);
        const job = known ?? (isWatched ? jobIn(store, id) : undefined);
        if (job && isWatched) watchers.emit(id, { type: "finished", job });
        if (followers.size > 0) tellFollowers(job ? outcomeOf(job) : outcomeIn(store, id));
        return isWatched;
      };
      if (store.isPassing(id)) {
        if (tell()) store.forget(id);
        else timers.after(UNWATCHED_KEPT, () => store.forget(id));
        return;
      }
      // An end that was lost is none: `lost` makes the scheduler look again.
      database.committed().then(tell, (error) => abandoned.unwritten(id, error));
    },
    tellFollowers,
    follow(listener) {
      followers.add(listener);
      return () => followers.delete(listener);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const jobIn = (store: AllJobsStore, id: JobId) => {
  const row = store.row(id);
  return row && jobOf(row);
};

/** Of a job that is not in memory, only what is asked for is read. */
const outcomeIn = (store: AllJobsStore, id: JobId) => {
  const row = store.outcome(id);
  return row && outcomeOfRow(row);
};

type Losing = Pick<JobLedger, "store" | "attempts" | "ends" | "abandoned" | "notify"> & {
  database: Pick<GroupCommit, "onLost">;
};

function hearLosses({ database, store, attempts, ends, abandoned, notify }: Losing): void {
  /** What runs although its start was undone with the rest has no end that could be written. */
  const tellOfLostStarts = (error: ForecourtError) => {
    for (const id of ends.waitedFor()) {
      if (!attempts.has(id) || store.row(id)?.status !== "queued") continue;
      abandoned.unwritten(id, error);
      notify({ type: "cancel", id });
    }
  };
  database.onLost((error) => {
    tellOfLostStarts(error);
    notify({ type: "lost", reason: error.message });
  });
}

const createWriting =
  (database: Pick<GroupCommit, "write">, abandoned: Abandoned): JobLedger["writeFor"] =>
  (id, work) => {
    try {
      return database.write(work);
    } catch (error) {
      abandoned.unwritten(id, error);
      throw error;
    }
  };

type StoreParts = Omit<JobLedgerParts, "clock" | "even" | "room"> & { room: JobRoom };

/** The table, what is held and what passes. */
function openStore({ database, outbox, accounts, room, timers }: StoreParts): AllJobsStore {
  const account: OnEnd = (job, ending) => {
    if (!isComposite(job.model)) accounts.end(jobEnd(job, ending));
  };
  // All stores tell the same of an end: what counts in the table counts in memory.
  const onEnd: OnEnd = (job, ending) => {
    outbox.ended(asId<JobId>(job.id), ending.at);
    // Last, because it changes memory too, which a later failure of this transaction would not undo.
    account(job, ending);
  };
  const table = createJobStore(database, { onEnd, room });
  // Nobody wished to hear of these by webhook.
  const held = withHeldBeginnings(table, { database, timers, onEnd: account, onKept: accounts.keep });
  return withPassingJobs(held, { database, onEnd });
}

type News = { waiting: WaitingJobs; watchers: Watchers; timers: Timers };

function createPositionNews({ waiting, watchers, timers }: News): () => void {
  let isPlanned = false;
  const told = new Map<JobId, number>();
  const tell = () => {
    isPlanned = false;
    for (const id of told.keys()) if (!watchers.has(id)) told.delete(id);
    for (const id of watchers.watched()) {
      const position = waiting.position(id);
      if (!waiting.get(id) || told.get(id) === position) continue;
      told.set(id, position);
      watchers.emit(id, { type: "queued", position });
    }
  };
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    timers.after(POSITION_PERIOD, tell);
  };
}

const createEvening = (clock: Clock, even: Clock) => (job: ArrivingJob) => {
  const ahead = even.now() - clock.now();
  return {
    ...job,
    createdAt: instant(job.createdAt + ahead),
    since: instant(job.since + ahead),
    ...(job.startBy !== undefined && { startBy: instant(job.startBy + ahead) }),
  };
};

export const waitingOf = (row: OpenRow, since: Instant): ArrivingJob => ({
  id: asId<JobId>(row.id),
  key: asId<KeyId>(row.key),
  isBack: row.attempts > 0,
  model: asId<ModelId>(row.model),
  priority: row.priority,
  createdAt: instant(row.createdAt),
  ...(row.startBy !== null && { startBy: instant(row.startBy) }),
  ...(row.wishes !== null && hintOf(wishesOf(row))),
  since,
});

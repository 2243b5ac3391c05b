// Removes files that nothing belongs to any more, apart from all requests: gone for everybody when that is written down, and from the
// disk and the bucket as soon as these let us.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { instant, milliseconds } from "../../core/units.ts";
import type { Database } from "../database/open.ts";
import type { Bucket } from "./bucket.ts";
import type { BucketStore } from "./bucket-store.ts";
import type { DiskStore } from "./disk-store.ts";
import { createRemovalStore, type Removal } from "./removal-store.ts";

export type Removals = {
  /** Inside a write: a file, or a folder with all that is in it. Nothing may be put there again. */
  add(name: string): void;
  /** Is it, or its folder, to be removed? */
  has(name: string): boolean;
  /** One round; resolves to how many were removed. Throws when one could not be, after all that could. */
  work(): Promise<number>;
  start(): void;
  /** Resolves when what is under way has been removed, or not. */
  stop(): Promise<void>;
};

export type RemovalParts = {
  local: Pick<DiskStore, "remove">;
  bucket?: Bucket | undefined;
  /** Of what lies in the bucket, also where none is set any more. */
  books: Pick<BucketStore, "below">;
  database: Database;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** Between two of these the server does its other work. With one file each they are one request to a bucket. */
const REMOVED_AT_ONCE = 1_000;
/** The table is looked at this often, whatever it says: clocks are set. */
const PERIOD = milliseconds(60_000);
/** What could not be removed is tried again so soon, and half as often each time it cannot. */
const FIRST_WAIT = milliseconds(2_000);
const LONGEST_WAIT = milliseconds(10 * 60_000);

export function createRemovals({ timers, log, ...parts }: RemovalParts): Removals {
  const { clock } = parts;
  const store = createRemovalStore(parts.database);
  const { add, has } = createPlan({ store, clock, wake: () => wake() });
  const work = createWork({ ...parts, store, isStopped: () => isStopped });
  let [isStarted, isStopped, isFailing] = [false, false, false];
  let running: Promise<void> | undefined;
  let [isAwaited, cancel] = [false, () => {}];

  const round = async () => {
    try {
      const removed = await work();
      if (removed > 0) log.debug("files removed", { files: removed });
      if (isFailing) log.info("files can be removed again");
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn("files that are over wait to be removed", { error: String(error) });
      isFailing = true;
    }
  };
  const run = () => {
    cancel();
    isAwaited = false;
    running = round().then(() => {
      running = undefined;
      if (isStopped) return;
      if (isAwaited) run();
      else cancel = timers.after(milliseconds(Math.max(isFailing ? FIRST_WAIT : 0, waitOf(store, clock))), run);
    });
  };
  /** After the writes of this turn. */
  function wake() {
    if (!isStarted || isStopped || isAwaited) return;
    isAwaited = true;
    setImmediate(() => running === undefined && !isStopped && run());
  }

  return {
    add,
    has,
    work,
    start() {
      isStarted = true;
      run();
    },
    async stop() {
      isStopped = true;
      cancel();
      await running;
    },
  };
}

type Store = ReturnType<typeof createRemovalStore>;

const createPlan = ({ store, clock, wake }: { store: Store; clock: Clock; wake: () => void }) => ({
  add(name: string) {
    store.add(name, clock.now());
    wake();
  },
  has: (name: string) => store.has(name) || store.has(name.slice(0, Math.max(0, name.lastIndexOf("/")))),
});

function waitOf(store: Pick<Store, "nextDueAt">, clock: Clock) {
  const dueAt = store.nextDueAt();
  return dueAt === undefined ? PERIOD : milliseconds(Math.min(PERIOD, Math.max(0, dueAt - clock.now())));
}

type WorkParts = Pick<RemovalParts, "local" | "bucket" | "books" | "database" | "clock"> & {
  store: Store;
  isStopped: () => boolean;
};
type Failures = { first?: unknown };

function createWork({ store, local, bucket, books, database, clock, isStopped }: WorkParts): Removals["work"] {
  const removeHere = async (removals: Removal[], failures: Failures) => {
    const ends = await Promise.allSettled(removals.map(({ name }) => local.remove(name)));
    return removals.filter((_, at) => {
      const end = ends[at];
      if (end?.status === "rejected") failures.first ??= end.reason;
      return end?.status === "fulfilled";
    });
  };
  const removeThere = async (removals: Removal[], failures: Failures) => {
    const names = removals.flatMap(({ name }) => books.below(name));
    if (names.length === 0) return;
    if (!bucket) throw new Error("some lie in a bucket that is not set (storage.s3.bucket)");
    const [unremoved] = await bucket.remove(names);
    if (unremoved) failures.first ??= new Error(`${unremoved.name} in ${bucket.place}: ${unremoved.reason}`);
  };
  const settle = (all: Removal[], gone: Removal[]) => {
    const done = new Set(gone);
    const now = clock.now();
    database.write(() => {
      for (const removal of all)
        if (done.has(removal)) store.done(removal.name);
        else store.putOff(removal, instant(now + Math.min(FIRST_WAIT * 2 ** removal.attempts, LONGEST_WAIT)));
    });
  };
  /** False where the books are not complete. */
  const prepare = async (failures: Failures) => {
    const steps = bucket ? [bucket.giveUpParts, bucket.takeStock] : [];
    const ends = await Promise.allSettled(steps.map((step) => step()));
    for (const end of ends) if (end.status === "rejected") failures.first ??= end.reason;
    return ends.at(-1)?.status !== "rejected";
  };

  return async () => {
    const failures: Failures = {};
    const isBooked = await prepare(failures);
    let [isThere, removed] = [isBooked, 0];
    for (;;) {
      const now = clock.now();
      const due = store.due({ now, beyond: instant(now + LONGEST_WAIT) }, REMOVED_AT_ONCE);
      if (due.length === 0) break;
      // What a power cut would undo is not acted upon.
      await database.committed();
      const here = await removeHere(due, failures);
      if (isThere)
        await removeThere(here, failures).catch((error) => {
          isThere = false;
          failures.first ??= error;
        });
      const gone = here.filter(({ name }) => isBooked && books.below(name).length === 0);
      settle(due, gone);
      removed += gone.length;
      if (isStopped()) break;
      await database.committed();
    }
    if (failures.first !== undefined) throw failures.first;
    return removed;
  };
}

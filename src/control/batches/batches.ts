// Batches: the requests of a file, carried out one after the other when there is room for them, within a day. On disk from
// their beginning, and taken up again by the next process.
import type { Clock, Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { KeyId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Bytes, type Instant, instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import { type Batch, type BatchFace, batchOf } from "./batch.ts";
import { createBatchStore } from "./batch-store.ts";
import { type ConductParts, conduct } from "./conduct.ts";
import { createHolding } from "./holding.ts";

export type NewBatch = {
  key: KeyId;
  endpoint: string;
  /** Token of an upload of the key's. */
  input: string;
  metadata: Record<string, string>;
  /** What URLs in its answers begin with. */
  origin: string;
  /** Of its files; absent: for ever. */
  keepFor?: Milliseconds;
};

export type Batches = {
  /** Resolves when it is on disk. Throws `queue_full` and `room_full`. */
  create(batch: NewBatch): Promise<Batch>;
  find(id: string): Batch | undefined;
  /** The latest first; `after`: the id that the page before ended with. */
  list(key: KeyId, page: { after?: string | undefined; limit: number }): Batch[];
  /** What has not begun does not begin. Throws `bad_request` for one that has ended, or is about to. */
  cancel(id: string): Promise<Batch>;
  /** From now on lines are read and carried out by it. */
  serve(face: BatchFace): void;
  start(): void;
  stop(): Promise<void>;
  /** Removes those that ended before. */
  removeBefore(before: Instant): Promise<void>;
};

type Parts = Omit<ConductParts, "store" | "holding"> & { room: Bytes; log: Log; clock: Clock; timers: Timers };

/** As OpenAI's, which has no other. */
const WINDOW_MS = 24 * 60 * 60 * 1000;
/** Under way side by side, of the box and of a key: each has some lines in the queue. */
const AT_ONCE = 8;
const OF_KEY_AT_ONCE = 2;
const MOST_OPEN = 100;
/** After what keeps a batch from going on, such as a full disk. */
const REST = milliseconds(60_000);

export function createBatches({ room, log, ...given }: Parts): Batches {
  const { database, clock } = given;
  const store = createBatchStore(database);
  const holding = createHolding({ store, database, room });
  const find: Batches["find"] = (id) => {
    const row = store.find(id);
    return row && batchOf(row);
  };
  const conductor = createConductor({ ...given, store, holding }, log);

  return {
    find,
    async create({ metadata, keepFor, ...batch }) {
      if (store.openOf(batch.key) >= MOST_OPEN)
        throw new ForecourtError("queue_full", `This key has ${MOST_OPEN} batches that have not ended. Wait for one.`);
      const id = `batch_${Bun.randomUUIDv7()}`;
      const createdAt = clock.now();
      database.write(() =>
        holding.insert({
          ...{ ...batch, id, metadata: JSON.stringify(metadata), keepFor: keepFor ?? null, createdAt },
          ...{ status: "validating", expiresAt: instant(createdAt + WINDOW_MS), ...NOTHING_YET },
        }),
      );
      await database.committed();
      conductor.look();
      return batchOf(store.find(id) as NonNullable<ReturnType<typeof store.find>>); // it was just made
    },
    list: (key, page) => store.list(key, page).map(batchOf),
    async cancel(id) {
      const cancelled = database.write(() => {
        const row = store.find(id);
        if (row?.status !== "validating" && row?.status !== "in_progress") return row && batchOf(row);
        store.change(id, { status: "cancelling", cancellingAt: clock.now() });
        return find(id);
      });
      if (!cancelled) throw new ForecourtError("not_found", "There is no such batch.");
      if (cancelled.status !== "cancelling")
        throw new ForecourtError("bad_request", `A batch that is ${cancelled.status} cannot be cancelled.`);
      await database.committed();
      conductor.end(id);
      return cancelled;
    },
    serve: conductor.serve,
    start: conductor.start,
    stop: conductor.stop,
    removeBefore: holding.removeEndedBefore,
  };
}

const NOTHING_YET = {
  ...{ begunAt: null, finalizingAt: null, cancellingAt: null, endedAt: null },
  ...{ problems: null, output: null, errors: null, model: null, total: 0, done: 0, failed: 0 },
  ...{ inputTokens: 0, cachedTokens: 0, outputTokens: 0 },
};

/** Which batches are under way, each until it ends. */
function createConductor(parts: ConductParts, log: Log) {
  const { store, clock, timers, holding } = parts;
  const underWay = new Map<string, { key: string; ending: AbortController; done: Promise<void> }>();
  const resting = new Set<string>();
  const stopped = new AbortController();
  let face: BatchFace | undefined;
  let isStarted = false;

  const begin = (batch: Batch, by: BatchFace) => {
    const ending = new AbortController();
    if (batch.status === "cancelling") ending.abort();
    const left = milliseconds(Math.max(0, batch.expiresAt - clock.now()));
    if (left === 0) ending.abort();
    const cancel = timers.after(left, () => ending.abort());
    const done = conduct(parts, by, batch.id, { stop: stopped.signal, ending: ending.signal })
      .catch((error: unknown) => {
        log.warn("a batch could not go on and rests", { batch: batch.id, error: String(error) });
        resting.add(batch.id);
        timers.after(REST, () => {
          resting.delete(batch.id);
          look();
        });
      })
      .finally(() => {
        cancel();
        underWay.delete(batch.id);
        look();
      });
    underWay.set(batch.id, { key: batch.key, ending, done });
  };
  function look(): void {
    if (!isStarted || !face || stopped.signal.aborted) return;
    for (const batch of store.open().map(batchOf)) {
      if (underWay.has(batch.id) || resting.has(batch.id)) continue;
      const ofKey = [...underWay.values()].filter(({ key }) => key === batch.key).length;
      const isEnding = batch.status === "cancelling" || batch.expiresAt <= clock.now();
      if (isEnding || (underWay.size < AT_ONCE && ofKey < OF_KEY_AT_ONCE)) begin(batch, face);
    }
  }
  return {
    look,
    end(id: string) {
      underWay.get(id)?.ending.abort();
      look();
    },
    serve(by: BatchFace) {
      face = by;
      look();
    },
    start() {
      isStarted = true;
      for (const batch of store.endedWithLines()) void holding.removeLines({ ...batch, key: batch.key as KeyId });
      look();
    },
    async stop() {
      stopped.abort();
      await Promise.all([...underWay.values()].map(({ done }) => done));
    },
  };
}

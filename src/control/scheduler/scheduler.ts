// The loop: gathers facts, decides, records and hands the actions to the fleet; wakes on any event or deadline.
// Nothing is awaited between the facts and the actions: in one-threaded JavaScript that alone is the lock.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import type { ModelId, RunnerId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Bytes, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobNote } from "../jobs/ledger.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Files } from "../storage/files.ts";
import type { InputMedia } from "../storage/input-media.ts";
import { createBatches } from "./batches.ts";
import { decide } from "./decide.ts";
import { createDispatch } from "./dispatch.ts";
import { gatherFacts } from "./facts.ts";
import { nextLook } from "./next-look.ts";
import { createOutcomes, type ReadyRunner } from "./outcomes.ts";
import { createPreparation } from "./preparation.ts";

export type Scheduler = {
  start(): void;
  /** Ends all runners; what ran waits again. */
  stop(): Promise<void>;
};

export type SchedulerParts = {
  jobs: Jobs;
  work: JobWork;
  fleet: Fleet;
  catalog: Catalog;
  files: Files;
  media: InputMedia;
  resolveWeights: (entry: CatalogEntry) => Promise<string>;
  /** In order of preference, each with what models may take of its memory. */
  devices: { device: Device; budget: Bytes }[];
  idleUnload?: Milliseconds;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** After the database refused a write, e.g. on a full disk: how long until the queue is read again. */
const REPAIR_DELAY = milliseconds(1_000);

export function createScheduler(parts: SchedulerParts): Scheduler {
  const { work, fleet, media, clock, timers, log, resolveWeights } = parts;
  const batches = createBatches();
  const readySince = new Map<RunnerId, ReadyRunner>();
  const measured = new Map<ModelId, Bytes>();
  const preparation = createPreparation({ resolveWeights, media, onSettled: () => wake() });
  const devices = parts.devices.map(({ device: { id, kind }, budget }) => ({ id, kind, budget }));
  const cpus = new Set(devices.filter(({ kind }) => kind === "cpu").map(({ id }) => id));
  const isMeasurable = (runner: RunnerId) =>
    fleet.runners().some(({ id, device }) => id === runner && cpus.has(device));

  const sources = { ...parts, preparation, readySince, measured, devices };
  const dispatch = createDispatch({ ...sources, batches, devices: parts.devices.map(({ device }) => device) });
  const record = createOutcomes({ ...sources, batches, isMeasurable });

  let isRunning = false;
  let isAwake = false;
  let isRepairing = false;
  let disarm = () => {};
  const subscriptions: (() => void)[] = [];

  const look = () => {
    const facts = gatherFacts(sources);
    const actions = decide(facts);
    for (const action of actions) dispatch(action);
    dropForgottenMedia(preparation, work);
    disarm();
    const next = nextLook(facts, work.waiting.nextDeadline());
    disarm = next === undefined ? () => {} : timers.after(milliseconds(next - clock.now()), wake);
    // A refused job uncovers the one behind it; other work of this process comes in between.
    if (actions.some(({ type }) => type === "refuse")) setImmediate(wake);
  };
  /** A write that fails must stop neither the server nor the loop. */
  const guarded = (act: () => void) => {
    try {
      act();
    } catch (error) {
      log.error("the queue could not be brought up to date", { error: String(error) });
      repair();
    }
  };
  const repair = () => {
    if (isRepairing) return;
    isRepairing = true;
    timers.after(REPAIR_DELAY, () => {
      isRepairing = false;
      if (isRunning) guarded(work.reload);
      wake();
    });
  };
  /** Once for all events of this turn, so that a job is claimed in the transaction that stored it. */
  function wake() {
    if (!isRunning || isAwake) return;
    isAwake = true;
    queueMicrotask(() => {
      isAwake = false;
      if (isRunning) guarded(look);
    });
  }
  const onNote = (note: JobNote) => {
    const batch = note.type === "cancel" ? batches.of(note.id) : undefined;
    if (batch) fleet.cancel(batch.id);
    if (note.type === "lost") {
      log.error("writes of the queue were lost", { reason: note.reason });
      repair();
    }
    wake();
  };

  return {
    start() {
      isRunning = true;
      subscriptions.push(work.subscribe(onNote));
      subscriptions.push(
        fleet.subscribe((event) => {
          guarded(() => record(event));
          wake();
        }),
      );
      wake();
    },
    async stop() {
      isRunning = false;
      disarm();
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
      for (const id of preparation.jobs()) preparation.forgetMedia(id);
      await fleet.stop();
      for (const { id, open } of batches.all()) {
        batches.end(id);
        for (const job of open) work.interrupt(job);
      }
    },
  };
}

/** Of jobs that were cancelled or refused while their media were fetched. */
function dropForgottenMedia(preparation: ReturnType<typeof createPreparation>, work: JobWork): void {
  for (const id of preparation.jobs()) if (!work.waiting.get(id) && !work.isRunning(id)) preparation.forgetMedia(id);
}

// Gathers facts, decides, records, and hands the actions to the fleet; looks again after any event or deadline.
// Nothing is awaited between the facts and the actions: in one-threaded JavaScript that alone is the lock.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import type { ModelId, RunnerId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Bytes, Milliseconds } from "../../core/units.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import type { Fleet, FleetEvent } from "../fleet/fleet.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobNote } from "../jobs/ledger.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Files } from "../storage/files.ts";
import type { InputMedia } from "../storage/input-media.ts";
import { createBatches } from "./batches.ts";
import { decide } from "./decide.ts";
import { createDispatch } from "./dispatch.ts";
import { gatherFacts } from "./facts.ts";
import { createLoop, type Look } from "./loop.ts";
import { nextLook } from "./next-look.ts";
import { createOutcomes, type ReadyRunner } from "./outcomes.ts";
import { createPreparation } from "./preparation.ts";
import { createServedHints } from "./served-hints.ts";

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

/** So many hopeless jobs of a long queue are refused before other work of this process comes in between. */
const REFUSALS_AT_ONCE = 50;

export function createScheduler(parts: SchedulerParts): Scheduler {
  const { work, fleet, media, clock, timers, log, resolveWeights } = parts;
  const batches = createBatches();
  const readySince = new Map<RunnerId, ReadyRunner>();
  const measured = new Map<ModelId, Bytes>();
  const preparation = createPreparation({ resolveWeights, media, onSettled: () => loop.wake() });
  const devices = parts.devices.map(({ device: { id, kind }, budget }) => ({ id, kind, budget }));
  const cpus = new Set(devices.filter(({ kind }) => kind === "cpu").map(({ id }) => id));
  const isMeasurable = (runner: RunnerId) =>
    fleet.runners().some(({ id, device }) => id === runner && cpus.has(device));

  const affinity = createServedHints();
  const sources = { ...parts, preparation, readySince, affinity, measured, devices };
  const dispatch = createDispatch({ ...sources, batches, devices: parts.devices.map(({ device }) => device) });
  const record = createOutcomes({ ...sources, batches, isMeasurable });

  const lookOnce = (): Look => {
    const facts = gatherFacts(sources);
    const actions = decide(facts);
    for (const action of actions) dispatch(action);
    // A refused job uncovers the one behind it.
    if (actions.some(({ type }) => type === "refuse")) return "again";
    return nextLook(facts, work.waiting.nextDeadline());
  };
  const look = (): Look => {
    let next = lookOnce();
    for (let refused = 1; next === "again" && refused < REFUSALS_AT_ONCE; refused++) next = lookOnce();
    dropForgottenMedia(preparation, work);
    return next;
  };
  const loop = createLoop({ look, mend: work.reload, clock, timers, log });

  const onNote = (note: JobNote) => {
    const batch = note.type === "cancel" ? batches.of(note.id) : undefined;
    if (batch) fleet.cancel(batch.id);
    if (note.type === "lost") loop.broken(note.reason);
    loop.wake();
  };
  const onEvent = (event: FleetEvent) => {
    loop.guard(() => record(event));
    loop.wake();
  };
  const subscriptions: (() => void)[] = [];

  return {
    start() {
      subscriptions.push(work.subscribe(onNote), fleet.subscribe(onEvent));
      loop.start();
    },
    async stop() {
      loop.stop();
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

// Gathers facts, decides, records, and hands the actions to the fleet; looks again after any event or deadline.
// Nothing is awaited between the facts and the actions: in one-threaded JavaScript that alone is the lock.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import type { DeviceId, ModelId, RunnerId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { type Bytes, type Instant, instant, type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import type { Catalog, CatalogChange, CatalogEntry } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobNote } from "../jobs/ledger.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Files } from "../storage/files.ts";
import type { InputMedia } from "../storage/input-media.ts";
import { createAhead } from "./ahead.ts";
import { createBatchKeys } from "./batch-keys.ts";
import { type Batches, createBatches } from "./batches.ts";
import { decide } from "./decide.ts";
import { createDispatch } from "./dispatch.ts";
import { estimateWait } from "./estimate-wait.ts";
import type { Experience } from "./experience.ts";
import { type FactSources, freeMemory, gatherFacts } from "./facts.ts";
import { createHolds, type Held, type Holds } from "./holds.ts";
import { createLoop, type Look, type Loop } from "./loop.ts";
import { plainSlotsOf } from "./model-facts.ts";
import { earliest, nextLook } from "./next-look.ts";
import { createOutcomes, type ReadyRunner } from "./outcomes.ts";
import { createOutdated } from "./outdated.ts";
import { createPreparation, type Preparation } from "./preparation.ts";
import { createReadAhead, type ReadAhead } from "./read-ahead.ts";
import { createReloads, type Reloads } from "./reloads.ts";
import { createRemodel } from "./remodel.ts";
import type { Residency } from "./residency.ts";
import { type RestSources, restOf } from "./rest.ts";
import { serveAtOnce } from "./serve-at-once.ts";
import { createServedHints } from "./served-hints.ts";
import type { Action, DeviceFact, Facts } from "./situation.ts";
import { type ModelStanding, standingOf } from "./standing.ts";

export type Scheduler = {
  start(): void;
  /** Ends all runners; what ran waits again. */
  stop(): Promise<void>;
  /** Something that the policy looks at changed elsewhere: a device was lost or came back. */
  wake(): void;
  /** Resolves after a look at the queue, asked for now; never when the scheduler makes no progress. */
  looked(): Promise<void>;
  /** How long until a waiting job begins, as far as earlier runs tell. */
  estimateWait(model: ModelId, position: number): Milliseconds | undefined;
  /** Jobs for this model are to come soon: it is loaded where there is room for it. */
  expect(entry: CatalogEntry): void;
  /** The model has other weights now: its runners give way to new ones, no job of theirs is lost. */
  renew(model: ModelId): void;
  /** Model files were read anew; `catalog` tells of them already. */
  remodel(change: CatalogChange): void;
  /** Memory for a trial of the model, until it is given back; undefined when no device that it may use has so much left. */
  hold(entry: CatalogEntry, variant?: Model): Held | undefined;
  /** What is known of models that are loaded, waited for or kept: for people. */
  standing(): ModelStanding[];
  /** In order of preference, each with what models may take of its memory. */
  devices: readonly { device: Device; budget: Bytes }[];
};

export type SchedulerParts = {
  jobs: Jobs;
  work: JobWork;
  fleet: Fleet;
  catalog: Catalog;
  files: Files;
  media: InputMedia;
  /** The folder of a model's weights, for one kind of device. */
  resolveWeights: (variant: Model) => Promise<string>;
  /** The same if it is on this machine; throws otherwise. */
  weightsHere: (variant: Model) => Promise<string>;
  /** Popular models that had to make room are loaded again in quiet moments. */
  mayReload: boolean;
  /** In order of preference, each with what models may take of its memory. */
  devices: { device: Device; budget: Bytes }[];
  isLost?: (device: DeviceId) => boolean;
  residency: Residency;
  experience: Experience;
  idleUnload?: Milliseconds;
  batchWindow: Milliseconds;
  lineLimit: Milliseconds;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** So many hopeless jobs of a long queue are refused before other work of this process comes in between. */
const REFUSALS_AT_ONCE = 50;

export function createScheduler(parts: SchedulerParts): Scheduler {
  const { jobs, work, fleet, catalog, media, experience, clock, timers, log, resolveWeights } = parts;
  const batches = createBatches();
  const readySince = new Map<RunnerId, ReadyRunner>();
  const preparation = createPreparation({ resolveWeights, media, onSettled: () => loop.wake() });
  const ahead = createAhead({ ...parts, models: catalog.list(), preparation });
  const affinity = createServedHints();
  const batchKeys = createBatchKeys({ jobs, catalog });
  const outdated = createOutdated({ fleet, catalog, preparation });
  const holds = createHolds({ ...parts, onReleased: () => loop.wake() });
  const devices = devicesOf(parts, holds);
  const reloads = createReloads({ ...parts, devices, isOn: parts.mayReload, onSettled: () => loop.wake() });
  const held = { outdated, preparation, readySince, affinity, ahead, batchKeys, batches, reloads };
  const inMainMemory = withoutMemory(parts);
  const sources = {
    ...parts,
    ...held,
    inMainMemory,
    devices,
    line: new Map<ModelId, Instant>(),
  };
  const readAhead = createReadAhead({ ...parts, preparation });
  const remodel = createRemodel({ ...parts, ...held, readAhead });
  const dispatch = createDispatch({ ...parts, ...held, readAhead, devices: parts.devices.map(({ device }) => device) });
  const record = createOutcomes({ ...parts, ...held, inMainMemory });
  const look = createLook({ ...sources, readAhead, dispatch });
  const loop = createLoop({ look, mend: work.reload, clock, timers, log });
  const subscriptions: (() => void)[] = [];

  return {
    devices: parts.devices,
    ...{ wake: loop.wake, looked: loop.looked },
    expect(entry) {
      if (fleet.runners().some(({ model }) => model === entry.model.id)) return;
      ahead.ask(entry);
      loop.wake();
    },
    renew(model) {
      outdated.mark(model);
      loop.wake();
    },
    remodel(change) {
      remodel(change);
      loop.wake();
    },
    hold: (entry, variant) => holds.hold(entry, { devices: sources.devices(), free: freeMemory(sources), variant }),
    estimateWait: (model, position) => estimateWait({ model, position }, { ...sources, now: clock.now() }),
    standing: () => standingOf(sources),
    start() {
      subscriptions.push(
        work.subscribe(hearNotes({ batches, fleet, loop })),
        fleet.subscribe((event) => {
          reloads.record(event, clock.now());
          loop.guard(() => record(event));
          loop.wake();
        }),
      );
      experience.start();
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
      experience.stop();
    },
  };
}

type Looking = FactSources &
  RestSources &
  Pick<SchedulerParts, "work" | "fleet"> & {
    preparation: Preparation;
    readAhead: ReadAhead;
    reloads: Reloads;
    dispatch: (action: Action) => void;
  };

/**
 * While jobs of loaded models wait for nothing but free places, whether to load a further runner is asked this often, and not with
 * every job that comes or ends: a server that was held up would else be slowest when most jobs wait.
 */
const CROWDED_PERIOD = milliseconds(25);

function createLook(sources: Looking): () => Look {
  const { work, fleet, catalog, clock, readAhead, reloads, dispatch, residency, line } = sources;
  const slotsOf = (model: ModelId) => plainSlotsOf(catalog.find(model), residency);
  let decidedAt: Instant | undefined;

  const lookOnce = (): Look => {
    const now = clock.now();
    const rest = restOf(sources, now);
    const served = rest && serveAtOnce({ now, waiting: work.waiting, runners: rest.runners, slotsOf });
    const again = decidedAt !== undefined && decidedAt <= now ? instant(decidedAt + CROWDED_PERIOD) : now;
    if (rest && served && (!served.isCrowded || again > now)) {
      for (const action of served.actions) dispatch(action);
      // Nobody is left in line for memory.
      line.clear();
      return served.isCrowded ? earliest(rest.next, again) : rest.next;
    }
    decidedAt = now;
    const facts = gatherFacts(sources);
    const actions = decide(facts);
    for (const action of actions) dispatch(action);
    reloads.decided(actions, now);
    readAhead.look(gatherAfter(facts, fleet));
    // A refused job uncovers the one behind it.
    if (actions.some(({ type }) => type === "refuse")) return "again";
    return earliest(nextLook(facts, work.waiting.nextDeadline()), reloads.next());
  };
  return () => {
    let next = lookOnce();
    for (let refused = 1; next === "again" && refused < REFUSALS_AT_ONCE; refused++) next = lookOnce();
    dropForgottenMedia(sources.preparation, work);
    return next;
  };
}

/** With the runners as they are once the actions were carried out. */
const gatherAfter = (facts: Facts, fleet: Fleet): Facts => ({ ...facts, runners: fleet.runners() });

type Hearing = { batches: Batches; fleet: Fleet; loop: Loop };

/** A cancelled job ends its batch only if it is alone in it. */
const hearNotes =
  ({ batches, fleet, loop }: Hearing) =>
  (note: JobNote) => {
    const batch = note.type === "cancel" ? batches.of(note.id) : undefined;
    if (batch && note.type === "cancel") {
      const index = batch.jobs.indexOf(note.id);
      fleet.cancel(batch.id, batch.open.size > 1 ? index : undefined);
    }
    if (note.type === "lost") loop.broken(note.reason);
    loop.wake();
  };

const withoutMemory = ({ devices }: SchedulerParts): ReadonlySet<DeviceId> =>
  new Set(devices.flatMap(({ device: { id, kind, isSoftware } }) => (kind === "cpu" || isSoftware ? [id] : [])));

function devicesOf({ devices, isLost = () => false }: SchedulerParts, holds: Holds): () => readonly DeviceFact[] {
  const known: readonly DeviceFact[] = devices.map(({ device: { id, kind }, budget }) => ({ id, kind, budget }));
  const asItIs = (device: DeviceFact) => (isLost(device.id) ? { ...device, isLost: true } : device);
  return () => known.map((device) => asItIs(holds.applied(device)));
}

/** Of jobs that were cancelled or refused while their media were fetched. */
function dropForgottenMedia(preparation: Preparation, work: JobWork): void {
  for (const id of preparation.jobs()) if (!work.waiting.get(id) && !work.isRunning(id)) preparation.forgetMedia(id);
}

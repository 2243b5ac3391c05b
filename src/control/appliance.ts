// The composition root: builds all of control, returns it with start() and stop().
import { join } from "node:path";
import { type Clock, evenClock, systemClock, systemTimers, type Timers } from "../core/clock.ts";
import type { Device } from "../core/device.ts";
import { invariant } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { bytes, type Instant, instant, MIB, milliseconds } from "../core/units.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { lastEndIn } from "./accounts/usage-store.ts";
import type { Answers } from "./answers/answer-store.ts";
import type { Batches } from "./batches/batches.ts";
import { createCallers } from "./callers.ts";
import { type Catalog, createCatalog, type ReloadableCatalog } from "./catalog/catalog.ts";
import type { ModelFile } from "./catalog/models.macro.ts";
import { chooseDevices } from "./choose-device.ts";
import type { Conversations } from "./conversations/conversations.ts";
import { lockData } from "./database/lock.ts";
import { type Database, databaseFile, openDatabase } from "./database/open.ts";
import { findDevices } from "./find-devices.ts";
import { createFleet, type Fleet } from "./fleet/fleet.ts";
import type { Hardware } from "./hardware/detect.ts";
import type { Monitor } from "./hardware/monitor.ts";
import type { BoxSample } from "./hardware/readings.ts";
import type { JobHistory } from "./jobs/history.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { createKeepingStore } from "./jobs/keeping-store.ts";
import type { Outputs } from "./jobs/outputs.ts";
import { ensureAdminKey } from "./keys/admin-key.ts";
import type { Keys } from "./keys/keys.ts";
import type { Tokens } from "./keys/tokens.ts";
import { createOversight, type Oversight } from "./oversight.ts";
import { createPlacement } from "./placement.ts";
import { createQueue } from "./queue.ts";
import { createReloadModels, type Reloaded } from "./reload-models.ts";
import { openSweepClock, type SweepClock } from "./retention/sweep-clock.ts";
import { installedCuda } from "./runtimes/installed.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";
import type { Settings } from "./settings.ts";
import type { FileDefaults } from "./storage/file-default-store.ts";
import type { Files } from "./storage/files.ts";
import { createImportFile, type ImportFile } from "./storage/import-file.ts";
import { createInputMedia } from "./storage/input-media.ts";
import { createOwnMedia } from "./storage/own-media.ts";
import { type AddressGuard, createAddressGuard } from "./storage/public-address.ts";
import { createStorage } from "./storage/storage.ts";
import type { Uploads } from "./storage/uploads.ts";
import { openUpdates } from "./updates/open-updates.ts";
import type { Updates } from "./updates/updates.ts";
import { vainHere } from "./vain-here.ts";
import { createVariantsHere } from "./variants-here.ts";
import type { WebhookBody, Webhooks } from "./webhooks/webhooks.ts";
import { hubAccess, openHub, pullLimits } from "./weights/access.ts";
import { createNamedWeights } from "./weights/named-weights.ts";
import { createSupply, type Supply } from "./weights/supply.ts";
import type { Workflows } from "./workflows/workflows.ts";

export type Appliance = {
  settings: Settings;
  log: Log;
  hardware: Hardware;
  /** The best device that models run on, and all of them, best first. */
  device: Device;
  devices: Device[];
  /** Live readings of the devices. */
  monitor: Pick<Monitor, "snapshot" | "isLost">;
  scheduler: Pick<Scheduler, "estimateWait" | "standing" | "expect" | "devices" | "looked">;
  /** Closed by stop(). */
  database: Database;
  catalog: Catalog;
  /** The operator's model files are read anew. Throws `misconfigured` where they cannot be listed. */
  reloadModels(): Reloaded;
  keys: Keys;
  /** Limits, budgets, prices and usage. */
  accounts: Accounts;
  tokens: Tokens;
  jobs: Jobs;
  history: JobHistory;
  /** Who may read the output files of jobs. */
  outputs: Outputs;
  files: Files;
  uploads: Uploads;
  /** What keys want for their files. */
  fileDefaults: FileDefaults;
  /** Of changes that may be sent again. */
  answers: Answers;
  conversations: Conversations;
  batches: Batches;
  importFile: ImportFile;
  webhooks: Webhooks;
  workflows: Workflows;
  fleet: Fleet;
  /** A time that the fleet tells, as the clock is set now. */
  byClock(at: Instant): Instant;
  supply: Supply;
  updates: Updates;
  /** Audit log and metrics. */
  oversight: Oversight;
  /** Recovers the queue and begins to schedule. */
  start(): Promise<void>;
  /** Running jobs go back to the queue; no child process is left. The appliance cannot be started again. */
  stop(): Promise<void>;
};

/** What tests put in place of the real thing. */
export type ApplianceParts = {
  settings: Settings;
  log: Log;
  clock?: Clock;
  timers?: Timers;
  fleet?: Fleet;
  hardware?: Hardware;
  sampleBox?: () => Promise<BoxSample>;
  builtInModels?: ModelFile[];
  /** What webhooks say; without it none are sent: they wait for a process that can. */
  webhookBody?: WebhookBody;
  /** `:memory:` instead of the file in the data directory. */
  databaseFile?: string;
};

/**
 * Locks the data directory, makes or migrates the database, and makes the first admin key. Throws `unavailable` when
 * another server has the directory and `misconfigured` for settings, models or a database that cannot be used.
 */
export async function createAppliance(parts: ApplianceParts): Promise<Appliance> {
  const { settings } = parts;
  const catalog = createCatalog({
    data: settings.data,
    ...(parts.builtInModels && { builtIn: parts.builtInModels }),
  });
  for (const { file, reason } of catalog.wrong())
    parts.log.error("a model file is wrong and left out", { file, reason });
  const hardware = parts.hardware ?? (await findDevices({ settings }));
  tellDevices(hardware, parts.log);
  const devices = chooseDevices(hardware, settings.device);
  for (const { what, remedy } of vainHere({ settings, catalog, devices })) parts.log.warn(what, { remedy });
  using held = new DisposableStack();
  held.use(lockData(settings.data));
  const file = parts.databaseFile ?? databaseFile(settings.data);
  const database = held.use(openDatabase({ file, synchronous: settings.database.synchronous }));
  const appliance = assemble({ ...parts, catalog, hardware, devices, database });
  const release = held.move();
  return {
    ...appliance,
    async stop() {
      await appliance.stop();
      release.dispose();
    },
  };
}

/** That a card is used in another way than its best one, or not at all, is said at every start. */
function tellDevices({ problems, trials = [] }: Hardware, log: Log): void {
  for (const { name, reason, remedy } of problems)
    log.warn("card not used at its best", { card: name, reason, remedy });
  for (const { device, ms, isRemembered } of trials)
    log.info("device passed its test inference", { device, ms: Math.round(ms), isRemembered });
}

type Found = ApplianceParts & { catalog: ReloadableCatalog; hardware: Hardware; devices: Device[]; database: Database };

function assemble(found: Found): Appliance {
  const { settings, log, catalog, hardware, devices, database } = found;
  const [device] = devices;
  invariant(device, "a box has at least its CPU");
  const time = timeOf(found);
  const { clock, even, timers } = time;
  const { data } = settings;
  const callers = createCallers(found, time);
  const { keys, accounts, tokens } = callers;
  const { openFiles: openTokens } = createKeepingStore(database);
  const storage = createStorage({ settings, database, openTokens, ...time, log });
  const { files, uploads, defaults: fileDefaults } = storage;
  const fleet = found.fleet ?? openFleet(found, { clock: even, timers });
  const guard = createAddressGuard(settings.fetch.allow);
  const tools = { accounts, keys, files, uploads, fileDefaults, guard, ...time };
  const limits = mediaLimits(settings, guard);
  const importFile = createImportFile({ uploads, scratch: join(data, "uploads", ".imports"), limits });
  const { jobs, history, outputs, work, expiry, webhooks, workflows, kept } = createQueue(found, tools);
  const { fetch: when } = settings.weights;
  const pulls = pullLimits(settings);
  const variantsOf = createVariantsHere({ settings, devices });
  const supply = createSupply({ data, access: hubAccess(settings), limits: pulls, when, variantsOf, log, clock });
  const { scheduler, monitor } = createPlacement(found, {
    ...{ jobs, work, fleet, catalog, files },
    media: createInputMedia({
      files,
      ownMedia: createOwnMedia({ files, fileRules: jobs.fileRules, uploads, keys, tokens }),
      namedWeights: createNamedWeights({ ...openHub(hubAccess(settings)), ...limits }),
      limits,
    }),
    resolveWeights: supply.folderOf,
    weightsHere: supply.folderHere,
    ...{ clock: even, timers },
  });
  const updates = openUpdates({ ...found, fleet, variantsOf, clock, timers, limits: pulls, scheduler });
  const oversight = createOversight({
    ...{ jobs, fleet, catalog, supply, webhooks, devices, hardware, monitor, accounts, keys, database, settings, log },
    ...time,
  });

  return {
    ...{ settings, log, hardware, device, devices, monitor, scheduler, database, catalog, keys, accounts, tokens },
    ...{ jobs, history, outputs, files, supply, updates },
    ...{ uploads, importFile, fileDefaults, answers: callers.answers, webhooks, workflows, ...kept },
    ...{ fleet, oversight, reloadModels: createReloadModels({ ...found, work, scheduler, supply }) },
    byClock: (at) => instant(at + clock.now() - even.now()),
    async start() {
      const keyFile = ensureAdminKey({ keys, data });
      if (keyFile) log.info("admin key made", { file: keyFile });
      const recovered = work.recover();
      if (recovered.waiting + recovered.ended > 0) log.info("queue recovered", recovered);
      await oversight.start();
      void monitor.start();
      scheduler.start();
      time.sweepClock.start();
      expiry.start();
      callers.start();
      webhooks.start();
      workflows.start();
      kept.batches.start();
      storage.start();
      updates.start();
    },
    async stop() {
      monitor.stop();
      await updates.stop();
      expiry.stop();
      callers.stop();
      await workflows.stop();
      await kept.batches.stop();
      await scheduler.stop();
      await oversight.stop();
      await storage.stop();
      await supply.stop();
      await webhooks.stop();
      time.sweepClock.stop();
      flushAtLast(work, log);
    },
  };
}

/** The clock as it is set, and those that are made of it: see there. */
function timeOf({ clock = systemClock, timers = systemTimers, database, log }: Found): Time {
  const sweepClock = openSweepClock({ clock, database, lastEnd: lastEndIn(database.orm), timers, log });
  return { clock, even: evenClock(clock), sweepClock, timers };
}

/** A stop goes on to its end, whatever the disk says. */
function flushAtLast(work: { flush(): void }, log: Log): void {
  try {
    work.flush();
  } catch (error) {
    log.error("the last writes are lost", { error: String(error) });
  }
}

const openFleet = ({ settings, devices, log }: Found, time: Pick<Time, "clock" | "timers">) =>
  createFleet({
    runtime: join(settings.data, "runtime"),
    libraries: installedCuda(settings.data),
    threads: settings.threads,
    keptGraphs: bytes(settings.runtime.keptGraphsMb * MIB),
    spares: { devices, count: settings.memory.spareRunners },
    log,
    ...time,
  });

type Time = { clock: Clock; even: Clock; sweepClock: SweepClock; timers: Timers };

const seconds = (count: number) => milliseconds(count * 1000);

const mediaLimits = ({ fetch }: Settings, guard: AddressGuard) => ({
  guard,
  maxBytes: bytes(fetch.maxMb * MIB),
  timeout: seconds(fetch.timeoutSeconds),
});

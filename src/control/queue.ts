// The durable queue and all that hangs on a job: its work, history, files, webhooks and end of days, workflows, and what callers keep.
import type { Clock, Timers } from "../core/clock.ts";
import { ForecourtError } from "../core/errors.ts";
import { asId, type FileToken } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import type { Log } from "../core/log.ts";
import { milliseconds } from "../core/units.ts";
import type { Model } from "../engine/model.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { checkedInput, entryOfJob } from "./catalog/asked.ts";
import type { Catalog, CatalogEntry } from "./catalog/catalog.ts";
import type { Database } from "./database/open.ts";
import { createCompositeJobs } from "./jobs/composite.ts";
import { createExpiry } from "./jobs/expiry.ts";
import { createJobHistory } from "./jobs/history.ts";
import { createHistoryStore } from "./jobs/history-store.ts";
import { createJobRoom } from "./jobs/job-room-store.ts";
import { createJobs } from "./jobs/jobs.ts";
import { createJobLedger } from "./jobs/ledger.ts";
import { createOutputs } from "./jobs/outputs.ts";
import type { Submission } from "./jobs/submission.ts";
import { createJobWork } from "./jobs/work.ts";
import { createKept } from "./kept-by-callers.ts";
import type { Keys } from "./keys/keys.ts";
import { roomOf } from "./rooms/room.ts";
import { createResidency } from "./scheduler/residency.ts";
import type { Settings } from "./settings.ts";
import type { FileDefaults } from "./storage/file-default-store.ts";
import type { Files } from "./storage/files.ts";
import { referencedFiles } from "./storage/output-files.ts";
import type { AddressGuard } from "./storage/public-address.ts";
import type { Uploads } from "./storage/uploads.ts";
import { createOutbox } from "./webhooks/outbox.ts";
import { createOutboxStore } from "./webhooks/outbox-store.ts";
import { ensureSigningKey } from "./webhooks/signing-key.ts";
import { createWebhooks, type WebhookBody } from "./webhooks/webhooks.ts";
import { createWorkflows } from "./workflows/workflows.ts";

type Box = { settings: Settings; log: Log; catalog: Catalog; database: Database; webhookBody?: WebhookBody };

type Tools = {
  keys: Keys;
  accounts: Accounts;
  files: Files;
  uploads: Uploads;
  fileDefaults: FileDefaults;
  guard: AddressGuard;
  clock: Clock;
  even: Clock;
  sweepClock: Clock;
  timers: Timers;
};

export function createQueue(box: Box, tools: Tools) {
  const { accounts, keys, files, uploads, fileDefaults, guard, clock, sweepClock, even, timers } = tools;
  const { settings, log, catalog, database } = box;
  const { retries, maxQueue, retentionDays } = settings.jobs;
  const retention = days(retentionDays);
  const store = createOutboxStore(database);
  const outbox = createOutbox(store);
  const room = createJobRoom({ database, limit: roomOf(settings.jobs.roomMb), retention });
  const ledger = createJobLedger({ database, outbox, accounts, room, clock, even, timers });
  const { lifecycleOf } = fileDefaults;
  const residency = createResidency(settings);
  const poolOf = ({ id }: Pick<Model, "id">) => residency.queuePoolOf(catalog.find(id)?.model);
  const jobs = createJobs({
    ledger,
    endpointOf: (submission) => endpointOf(submission, catalog),
    retries,
    maxQueue,
    poolOf,
    lifecycleOf,
  });
  const work = createJobWork({
    ledger,
    modelAt: (endpoint) => catalog.find(endpoint)?.model,
    readAnew: (job) => checkedInput(asAsked(endpointOf({ ...job, model: { id: job.model } }, catalog), job), job.input),
    toCallerOf(job) {
      const words = entryOfJob(catalog, job)?.words;
      return (output) => words?.toCaller(output, job.input) ?? output;
    },
    lookAtFiles: (output, token) => lookAt(files, referencedFiles(output), token),
  });
  const composites = createCompositeJobs(ledger);
  const kept = createKept({ settings, database, uploads, jobs, findKey: keys.get, clock, timers, log });
  const workflows = createWorkflows({
    ...{ database, catalog, jobs, composites, work, maxRuns: maxQueue, clock, timers, log },
  });
  return {
    ...{ jobs, work, workflows, kept },
    outputs: createOutputs({ store: ledger.store, writes: database }),
    history: createJobHistory({
      store: createHistoryStore(database),
      writes: database,
      room,
      findJob: jobs.find,
      forgetFiles: files.forget,
      clock,
    }),
    expiry: createExpiry({
      ...{ ledger, forgetFiles: files.forget, uploads, others: Object.values(kept), shrink: database.shrink },
      ...{ needed: workflows.neededJobs, retention, clock: sweepClock, timers, log },
    }),
    webhooks: createWebhooks({
      store,
      outbox,
      writes: database,
      findJob: jobs.find,
      key: ensureSigningKey(settings.data),
      guard,
      body: box.webhookBody,
      firstWait: seconds(settings.webhooks.retrySeconds),
      ...{ retention, clock, sweepClock, timers, log },
    }),
  };
}

function lookAt({ written }: Pick<Files, "written">, names: string[], token: FileToken) {
  const found = new Map(names.map((name) => [name, written(token, name)]));
  const sizes = [...found.values()];
  return {
    missing: names.filter((name) => found.get(name) === undefined),
    bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
  };
}

function endpointOf({ model: { id }, endpoint }: Asked, catalog: Catalog) {
  const entry = entryOfJob(catalog, { model: asId(id), endpoint });
  if (entry) return entry;
  const gone = new ForecourtError(
    "not_found",
    `The model ${id} was removed or renamed just now, and with it ${endpoint}.`,
  );
  throw catalog.refusal(endpoint) ?? gone;
}

/** A message of a realtime connection says what such messages may. */
const asAsked = (entry: CatalogEntry, { wishes }: Pick<Job, "wishes">) =>
  wishes.session !== undefined && entry.frame ? { ...entry, input: entry.frame } : entry;

type Asked = Pick<Submission, "endpoint"> & { model: { id: string } };

const seconds = (count: number) => milliseconds(count * 1000);
const days = (count: number) => seconds(count * 24 * 60 * 60);

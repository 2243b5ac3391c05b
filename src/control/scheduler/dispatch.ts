// Carries out what was decided: records it with the jobs first, then tells the fleet.
import type { Device } from "../../core/device.ts";
import { type Failure, invariant, unreachable } from "../../core/errors.ts";
import { asId, type JobId, type ModelId, newBatchId, newRunnerId, type RunnerId } from "../../core/ids.ts";
import { hintOf } from "../../core/job.ts";
import type { Log } from "../../core/log.ts";
import { type Instant, milliseconds } from "../../core/units.ts";
import { dtypeOf, modelOn } from "../../engine/variants.ts";
import { entryOfJob, pipelineInput } from "../catalog/asked.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Files } from "../storage/files.ts";
import type { BatchKeys } from "./batch-keys.ts";
import type { Batches } from "./batches.ts";
import type { Experience } from "./experience.ts";
import type { Preparation } from "./preparation.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { Reloads } from "./reloads.ts";
import type { ServedHints } from "./served-hints.ts";
import type { Action } from "./situation.ts";

export type DispatchParts = {
  work: JobWork;
  fleet: Fleet;
  catalog: Catalog;
  files: Files;
  preparation: Preparation;
  batches: Batches;
  devices: Device[];
  readySince: ReadonlyMap<RunnerId, { at: Instant; loadMs: number }>;
  affinity: Pick<ServedHints, "note">;
  experience: Pick<Experience, "asked">;
  batchKeys: Pick<BatchKeys, "forget">;
  readAhead: Pick<ReadAhead, "note">;
  reloads: Pick<Reloads, "begun" | "weights">;
  log: Log;
};

export function createDispatch(parts: DispatchParts): (action: Action) => void {
  const { work, fleet, log } = parts;
  const told = new WeakSet<Failure>();
  return (action) => {
    switch (action.type) {
      case "load":
        return load(action, { ...parts, told });
      case "run":
        return run(action, parts);
      case "evict":
        log.info("model unloaded", { runner: action.runner, ...(action.isReload && FOR_POPULAR) });
        return fleet.evict(action.runner);
      case "refuse":
        work.refuse(action.job, action.failure);
        return;
      default:
        return unreachable(action);
    }
  };
}

const FOR_POPULAR = { reason: "a quiet moment: a more popular model that had to make room is loaded again" };

type Loading = DispatchParts & { told: WeakSet<Failure> };

type Load = Extract<Action, { type: "load" }>;

function load({ model: id, device: on, isReload }: Load, parts: Loading): void {
  const { fleet, preparation, devices, told, log } = parts;
  const entry = entryOf(id, parts.catalog);
  const device = devices.find((each) => each.id === on);
  invariant(device, "models are placed on devices that exist");
  const weights = (isReload ? parts.reloads : preparation).weights(entry, [device.kind]);
  // For a further runner of a loaded model they are looked up only now: it is placed again once they are found.
  if (weights.type === "pending") return;
  if (weights.type === "failed") {
    if (isReload) return;
    const { failure } = weights;
    if (!told.has(failure)) log.warn("a further runner has no weights", { model: id, device: on, failure });
    told.add(failure);
    return;
  }
  preparation.forgetWeights(id);
  parts.readAhead.note(id, weights.value);
  const runner = newRunnerId();
  const model = modelOn(entry.model, device.kind);
  const dtype = dtypeOf(model);
  const reason = isReload && { reason: "popular, in a quiet moment" };
  log.info("model loads", { model: id, device: on, runner, ...(dtype !== undefined && { dtype }), ...reason });
  if (device.kind === "cpu" && devices.some(({ kind }) => kind !== "cpu"))
    log.warn("no GPU has room for this model at any time: it runs on the CPU", { model: id });
  if (isReload) parts.reloads.begun({ runner, model: id, device: on });
  const order = { runner, model, device, weights: weights.value, warmups: entry.warmups };
  fleet.load({ ...order, ...(isReload && { isReload }) });
}

function run({ runner, jobs }: { runner: RunnerId; jobs: JobId[] }, parts: DispatchParts): void {
  const { work, fleet, files, preparation, batches } = parts;
  const claimed = jobs.flatMap((id) => {
    const waiting = work.waiting.get(id);
    const ready = parts.readySince.get(runner);
    const loadMs = waiting && ready ? Math.min(ready.loadMs, Math.max(0, ready.at - waiting.since)) : 0;
    const job = work.claim(id, { runner, loadMs });
    return job ? [job] : [];
  });
  const [first] = claimed;
  for (const id of jobs) parts.batchKeys.forget(id);
  if (!first) return;
  parts.experience.asked(first.model, claimed.length);
  for (const { wishes } of claimed) {
    const { hint } = hintOf(wishes);
    if (hint !== undefined) parts.affinity.note(runner, hint);
  }
  const entry = entryOf(first.model, parts.catalog);
  const batch = newBatchId();
  batches.begin({ id: batch, runner, model: first.model, jobs: claimed.map(({ id }) => id) });
  fleet.run({
    runner,
    batch,
    timeout: milliseconds(entry.model.limits.timeoutSeconds * 1000),
    jobs: claimed.map((job) => {
      const media = preparation.media(job, entryOfJob(parts.catalog, job) ?? entry);
      return {
        input: pipelineInput(parts.catalog, job),
        directory: files.directory(job.files),
        media: media.type === "ready" ? media.value : {},
        ...(job.wishes.partials && { wantsPartials: true }),
        ...(job.wishes.session !== undefined && { session: job.wishes.session }),
      };
    }),
  });
}

function entryOf(model: ModelId, catalog: Catalog): CatalogEntry {
  const entry = catalog.find(asId<string>(model));
  invariant(entry, `the model ${model} of a placed job is in the catalogue`);
  return entry;
}

// Gathers what decide() looks at: of each model, the next jobs that are ready to be placed.
import type { Clock } from "../../core/clock.ts";
import { kindOfId } from "../../core/device.ts";
import { asId, type DeviceId, type ModelId, type RunnerId } from "../../core/ids.ts";
import type { Instant, Milliseconds } from "../../core/units.ts";
import { footprintOf, modelOn } from "../../engine/variants.ts";
import { entryOfJob } from "../catalog/asked.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import type { RunnerFact } from "../fleet/events.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { endpointGone } from "../jobs/remodel.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Ahead, KindsOf } from "./ahead.ts";
import type { BatchKeys } from "./batch-keys.ts";
import type { Experience } from "./experience.ts";
import { createPlaces } from "./fit.ts";
import { modelFact } from "./model-facts.ts";
import type { Outdated } from "./outdated.ts";
import type { Preparation } from "./preparation.ts";
import type { Reloads } from "./reloads.ts";
import type { Residency } from "./residency.ts";
import type { ServedHints } from "./served-hints.ts";
import type { DeviceFact, Facts, WaitingJob } from "./situation.ts";

/** So many jobs of a model have their media fetched ahead; a slow download delays no job behind it. */
const LOOK_AHEAD = 8;

export type FactSources = {
  jobs: Pick<Jobs, "find">;
  work: Pick<JobWork, "waiting" | "refuse" | "mayRun">;
  fleet: Pick<Fleet, "runners" | "backOffs">;
  catalog: Catalog;
  preparation: Preparation;
  clock: Clock;
  /** In order of preference, as they are now. */
  devices: () => readonly DeviceFact[];
  /** Those whose memory is the box's main memory, so that a runner's own size is what it takes there. */
  inMainMemory: ReadonlySet<DeviceId>;
  idleUnload?: Milliseconds;
  batchWindow: Milliseconds;
  lineLimit: Milliseconds;
  readySince: ReadonlyMap<RunnerId, { at: Instant; loadMs: number }>;
  affinity: Pick<ServedHints, "served">;
  experience: Experience;
  residency: Residency;
  ahead: Ahead;
  outdated: Pick<Outdated, "facts">;
  reloads: Pick<Reloads, "facts">;
  batchKeys: BatchKeys;
  /** Since when models have been in line for memory; kept up to date here. */
  line: Map<ModelId, Instant>;
};

/** Has one effect: jobs that cannot be prepared are refused on the way. */
export function gatherFacts(sources: FactSources): Facts {
  const { work, fleet, clock, idleUnload, readySince } = sources;
  const now = clock.now();
  const devices = sources.devices();
  const runners = measuredRunners(sources);
  const loaded = new Set(runners.map(({ model }) => model));
  const kindsOf = createKindsOf({ ...sources, now, runners, loaded });
  const overdue = work.waiting.overdue(now);
  const heads = work.waiting
    .models()
    .flatMap((model) => nextOf(model, { ...sources, kindsOf, isLoaded: loaded.has(model) }));
  const late = new Set(overdue.map(({ id }) => id));
  const jobs = [...overdue, ...heads.filter(({ id }) => !late.has(id))];
  const ahead = sources.ahead.wanted(kindsOf).filter((model) => !loaded.has(model));
  const again = sources.reloads.facts({ now, runners, kindsOf });
  standInLine(jobs, { ...sources, loaded, now });
  return {
    ...{ now, jobs, runners, readySince, devices, ahead, ...again },
    served: sources.affinity.served,
    outdated: sources.outdated.facts(),
    pools: sources.residency.pools,
    backOffs: fleet.backOffs(),
    models: factsOf(
      new Set([...jobs.map(({ model }) => model), ...loaded, ...ahead, ...(again.reload?.models ?? [])]),
      sources,
    ),
    batchWindow: sources.batchWindow,
    lineLimit: sources.lineLimit,
    ...(idleUnload !== undefined && { idleUnload }),
  };
}

/** Of each device, what no runner holds. */
export function freeMemory(sources: FactSources): Map<DeviceId, number> {
  const free = new Map<DeviceId, number>(sources.devices().map(({ id, budget }) => [id, budget]));
  for (const { device, memory } of measuredRunners(sources)) free.set(device, (free.get(device) ?? 0) - memory);
  return free;
}

const measuredRunners = (sources: FactSources): RunnerFact[] =>
  sources.fleet
    .runners()
    .map((runner) => (sources.inMainMemory.has(runner.device) ? runner : onDevice(runner, sources)));

/** A runner reports its main memory; what it holds on a GPU is measured there, and the model file's estimate until then. */
function onDevice(runner: RunnerFact, { experience, catalog }: FactSources): RunnerFact {
  const model = catalog.find(runner.model)?.model;
  const kind = kindOfId(runner.device);
  const estimate = model && kind && footprintOf(modelOn(model, kind));
  const memory = experience.memory(runner.model).get(runner.device) ?? estimate;
  return memory === undefined ? runner : { ...runner, memory };
}

function factsOf(ids: ReadonlySet<ModelId>, sources: FactSources): Facts["models"] {
  const { catalog, work, line } = sources;
  const devices = sources.devices();
  return new Map(
    [...ids].flatMap((id) => {
      const entry = catalog.find(id);
      const counts = { backlog: work.waiting.count(id), inLineSince: line.get(id) };
      const known = { ...sources, ...counts, devices };
      return entry ? [[id, modelFact(entry, known)] as const] : [];
    }),
  );
}

type Standing = Pick<FactSources, "line"> & { loaded: ReadonlySet<ModelId>; now: Instant };

function standInLine(jobs: readonly WaitingJob[], { line, loaded, now }: Standing): void {
  const waiting = new Set(jobs.map(({ model }) => model));
  for (const model of line.keys()) if (!waiting.has(model) || loaded.has(model)) line.delete(model);
  for (const model of waiting) if (!loaded.has(model) && !line.has(model)) line.set(model, now);
}

type Placing = FactSources & Pick<Facts, "now" | "runners"> & { loaded: ReadonlySet<ModelId> };

/** On which kinds of device a model would be loaded now; none where it fits on none. */
function createKindsOf(sources: Placing): KindsOf {
  const { now, runners, loaded, residency, fleet } = sources;
  let others: Facts["models"] | undefined;
  return ({ model }) => {
    const id = asId<ModelId>(model.id);
    others ??= factsOf(loaded, sources);
    const facts = {
      ...{ now, runners, batchWindow: sources.batchWindow, lineLimit: sources.lineLimit, jobs: [], ahead: [] },
      ...{ readySince: sources.readySince, devices: sources.devices(), pools: residency.pools },
      ...{ models: new Map([...others, ...factsOf(new Set([id]), sources)]), backOffs: fleet.backOffs() },
    };
    return createPlaces(facts)
      .of(id)
      .map(({ kind }) => kind);
  };
}

type Looking = FactSources & { kindsOf: KindsOf; isLoaded: boolean };

function nextOf(model: ModelId, sources: Looking): WaitingJob[] {
  const { catalog, preparation, work, kindsOf, isLoaded } = sources;
  const entry = catalog.find(model);
  if (!entry) {
    // It ran when the model was removed, and came to wait again.
    for (const { id } of work.waiting.heads(model, Number.POSITIVE_INFINITY))
      work.refuse(id, endpointGone({ model, endpoint: sources.jobs.find(id)?.endpoint ?? model }));
    return [];
  }
  const kinds = isLoaded ? [] : kindsOf(entry);
  // Without a place it is refused, for which no weights are needed.
  const weights = kinds.length === 0 ? READY : preparation.weights(entry, kinds);
  if (weights.type === "failed") {
    preparation.forgetWeights(model);
    for (const { id } of work.waiting.heads(model, Number.POSITIVE_INFINITY)) work.refuse(id, weights.failure);
  }
  return weights.type === "ready" ? prepared(entry, sources) : [];
}

const READY = { type: "ready" } as const;

/** Enough for all runners that the model may have at a time, and for its batches. */
function prepared(entry: CatalogEntry, sources: FactSources): WaitingJob[] {
  const { jobs, work, preparation, batchKeys } = sources;
  const model = asId<ModelId>(entry.model.id);
  const wanted = Math.max(sources.devices().length, 2 * entry.model.limits.maxBatch);
  const withKey = (waiting: WaitingJob) => batchKeys.mark(waiting, entry);
  const heads = (limit: number) => work.waiting.heads(model, limit).filter(({ id }) => work.mayRun(id));
  if (!entry.takesMedia) return heads(wanted).map(withKey);
  const found: WaitingJob[] = [];
  for (const waiting of heads(Math.max(LOOK_AHEAD, wanted))) {
    const job = jobs.find(waiting.id);
    if (!job) continue;
    const media = preparation.media(job, entryOfJob(sources.catalog, job) ?? entry);
    if (media.type === "ready") found.push(withKey(waiting));
    if (media.type === "failed") work.refuse(waiting.id, media.failure);
  }
  return found;
}

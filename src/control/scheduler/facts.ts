// Gathers what decide() looks at: of each model, the next job that is ready to be placed.
import type { Clock } from "../../core/clock.ts";
import { asId, type ModelId, type RunnerId } from "../../core/ids.ts";
import { type Bytes, bytes, type Instant, type Milliseconds } from "../../core/units.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Facts, WaitingJob } from "./decide.ts";
import type { Preparation } from "./preparation.ts";
import type { ServedHints } from "./served-hints.ts";

/** So many jobs of a model have their media fetched ahead; a slow download delays no job behind it. */
const LOOK_AHEAD = 8;

export type FactSources = {
  jobs: Pick<Jobs, "find">;
  work: Pick<JobWork, "waiting" | "refuse">;
  fleet: Pick<Fleet, "runners" | "backOffs">;
  catalog: Catalog;
  preparation: Preparation;
  clock: Clock;
  devices: Facts["devices"];
  idleUnload?: Milliseconds;
  readySince: ReadonlyMap<RunnerId, { at: Instant; loadMs: number }>;
  affinity: Pick<ServedHints, "served">;
  /** What models were seen to hold, where that is known. */
  measured: ReadonlyMap<ModelId, Bytes>;
};

/** Has one effect: jobs that cannot be prepared are refused on the way. */
export function gatherFacts(sources: FactSources): Facts {
  const { work, fleet, clock, devices, idleUnload, readySince } = sources;
  const now = clock.now();
  const runners = fleet.runners();
  const overdue = work.waiting.overdue(now);
  const heads = work.waiting
    .models()
    .flatMap((model) => nextOf(model, { ...sources, isLoaded: hasRunner(runners, model) }));
  const jobs = [...overdue, ...heads.filter((head) => !overdue.some(({ id }) => id === head.id))];
  return {
    now,
    jobs,
    runners,
    readySince,
    served: sources.affinity.served,
    devices,
    backOffs: fleet.backOffs(),
    footprint: new Map(jobs.map(({ model }) => [model, footprintOf(model, sources)])),
    ...(idleUnload !== undefined && { idleUnload }),
  };
}

const hasRunner = (runners: { model: ModelId }[], model: ModelId) => runners.some((runner) => runner.model === model);

function nextOf(model: ModelId, sources: FactSources & { isLoaded: boolean }): WaitingJob[] {
  const { catalog, preparation, work, isLoaded } = sources;
  const entry = catalog.find(model);
  if (!entry) return [];
  const weights = isLoaded ? READY : preparation.weights(entry);
  if (weights.type === "failed") {
    preparation.forgetWeights(model);
    for (const { id } of work.waiting.heads(model, Number.POSITIVE_INFINITY)) work.refuse(id, weights.failure);
  }
  return weights.type === "ready" ? firstPrepared(entry, sources) : [];
}

const READY = { type: "ready" } as const;

function firstPrepared(entry: CatalogEntry, { jobs, work, preparation }: FactSources): WaitingJob[] {
  const model = asId<ModelId>(entry.model.id);
  if (!entry.takesMedia) return work.waiting.heads(model, 1);
  const prepared: WaitingJob[] = [];
  for (const waiting of work.waiting.heads(model, LOOK_AHEAD)) {
    const job = jobs.find(waiting.id);
    if (!job) continue;
    const media = preparation.media(job, entry);
    if (media.type === "ready") prepared.push(waiting);
    if (media.type === "failed") work.refuse(waiting.id, media.failure);
  }
  return prepared.slice(0, 1);
}

function footprintOf(model: ModelId, { catalog, measured }: FactSources): Bytes {
  const memory = catalog.find(model)?.model.memory;
  return measured.get(model) ?? bytes(memory ? memory.weights + memory.working : 0);
}

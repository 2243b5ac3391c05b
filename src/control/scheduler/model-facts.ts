// What the policy has to know of one model: from its file, from experience and from the settings.
import { asId, type ModelId } from "../../core/ids.ts";
import { bytes, type Instant } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import { pipelineOf } from "../../engine/pipelines/registry.ts";
import { footprintOf, modelOn } from "../../engine/variants.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { Experience } from "./experience.ts";
import { worthOf } from "./popularity.ts";
import type { Residency } from "./residency.ts";
import type { DeviceFact, ModelFact } from "./situation.ts";

/** Where no load was seen: a process starts, and a fast disk is read at this rate. */
const START_MS = 1_500;
const READ_BYTES_PER_MS = 2_000_000;

type Known = {
  experience: Experience;
  residency: Residency;
  devices: readonly DeviceFact[];
  backlog: number;
  inLineSince: Instant | undefined;
};

/** How many jobs one of its runners takes that come at different times. */
export const slotsOf = (model: Model) => (pipelineOf(model).joins ? model.limits.maxBatch : 1);

/** The same of a model for whose jobs nothing else counts: no pool, no batches, no media, no memory beyond its footprint. */
export function plainSlotsOf(entry: CatalogEntry | undefined, residency: Residency): number | undefined {
  if (!entry || entry.takesMedia || residency.poolOf(entry.model) !== undefined) return undefined;
  const { limits, memory } = entry.model;
  if (limits.maxBatch > 1 && (memory.perBatchItem > 0 || pipelineOf(entry.model).batchKey)) return undefined;
  return slotsOf(entry.model);
}

export function modelFact({ model }: CatalogEntry, known: Known): ModelFact {
  const { experience, residency, devices, backlog, inLineSince } = known;
  const id = asId<ModelId>(model.id);
  const { runMs, loadMs = START_MS + model.memory.weights / READ_BYTES_PER_MS } = experience.times(id);
  const pool = residency.poolOf(model);
  const rate = experience.rate(id);
  const slots = slotsOf(model);
  return {
    footprint: footprintOf(model),
    ...(model.devices && {
      estimates: new Map(devices.map(({ id, kind }) => [id, footprintOf(modelOn(model, kind))])),
    }),
    measured: experience.memory(id),
    maxBatch: model.limits.maxBatch,
    slots,
    perBatchItem: bytes(model.memory.perBatchItem),
    worth: worthOf(rate, loadMs),
    loadMs,
    backlog,
    isPinned: residency.isPinned(model),
    ...(runMs !== undefined && { runMs, underWay: (rate * runMs) / (1000 * slots) }),
    ...(pool !== undefined && { pool }),
    ...(inLineSince !== undefined && { inLineSince }),
  };
}

// What is known of each model that is loaded, waited for or kept, for people who look at the box.
import { asId, type ModelId } from "../../core/ids.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { JobWork } from "../jobs/work.ts";
import type { Experience } from "./experience.ts";
import type { Residency } from "./residency.ts";

export type ModelStanding = {
  model: ModelId;
  /** Why it is in memory, or would be. */
  residency: "pinned" | "warm" | "on demand";
  pool?: string;
  /** Requests an hour that are to be expected. */
  popularity: number;
  waiting: number;
  /** Measured; absent before. */
  loadMs?: number;
  runMs?: number;
};

type Sources = {
  fleet: Pick<Fleet, "runners">;
  work: Pick<JobWork, "waiting">;
  catalog: Catalog;
  experience: Experience;
  residency: Residency;
};

export function standingOf({ fleet, work, catalog, experience, residency }: Sources): ModelStanding[] {
  const present = new Set([...fleet.runners().map(({ model }) => model), ...work.waiting.models()]);
  return catalog.list().flatMap(({ model }) => {
    const id = asId<ModelId>(model.id);
    const isPinned = residency.isPinned(model);
    const isWarm = residency.isWarm(model);
    if (!present.has(id) && !isWarm) return [];
    const pool = residency.poolOf(model);
    return {
      model: id,
      residency: isPinned ? "pinned" : isWarm ? "warm" : "on demand",
      ...(pool !== undefined && { pool }),
      popularity: experience.rate(id) * 3600,
      waiting: work.waiting.count(id),
      ...experience.times(id),
    };
  });
}
